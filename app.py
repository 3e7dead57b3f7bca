"""The WSGI entry: ``flask --app app …`` and ``gunicorn app:app``."""

import sys

from dotenv import load_dotenv

from lotus_web import create_app
from lotus_web.config.settings import BadSetting

load_dotenv()
try:
    app = create_app()
except BadSetting as problem:
    sys.exit(f"error: {problem}")
