"""The verifier as an auditor runs it: the standard library alone, and any use of the network ends it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from lotus_web.wire import lotus_verify

ALONE = """
import runpy, sys
def guard(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.")):
        sys.exit("the verifier used the network: " + event)
sys.addaudithook(guard)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def verify_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier in a folder, which gets a copy of it."""
    shutil.copy(lotus_verify.__file__, folder)
    command = [sys.executable, "-I", "-S", "-c", ALONE, "lotus_verify.py", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
