"""What `make run` starts; see lotus_web/cli/serve.py."""

import os
import shutil
import sys
import tempfile

# The metrics library reads this variable when it is imported, so the folder is made before the app is imported.
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="lotus-metrics-")

from lotus_web.cli.serve import prepare, serve

if code := prepare():
    shutil.rmtree(folder)
    sys.exit(code)
serve()
