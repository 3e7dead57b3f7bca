"""What ``make run`` runs: settings for one machine, a store that is up to date, a demo tenant on first use, then gunicorn.

Everything is kept in ``instance/`` of the current folder. Each setting made here gives way to the environment and to ``.env``.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from dotenv import load_dotenv
from flask_migrate import upgrade
from gunicorn.app import wsgiapp as gunicorn
from sqlalchemy.exc import DBAPIError

from lotus_web import create_app
from lotus_web.config.settings import BadSetting, Settings
from lotus_web.demo.load import is_loaded
from lotus_web.store.session import db

ROOT = Path(__file__).resolve().parent.parent.parent
INSTANCE = Path("instance")
SECRET_KEY = INSTANCE / "secret_key"
SIGN_INS = INSTANCE / "demo_sign_ins"
FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"))
# What the loading of the demo counts is not what the server counts.
METRICS = "PROMETHEUS_MULTIPROC_DIR"

DEFAULTS = {
    "LOTUS_ENV": "development",
    "LOTUS_JOBS": "embedded",
    "LOTUS_HANGUP": "stop",
    "DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE",
    "DPM_SUPPORTABILITY_SQLITE_PATH": str(INSTANCE / "lotus.db"),
    "DPM_WORKFLOW_ENABLED": "true",
    "DPM_LINEAGE_APIS_ENABLED": "true",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED": "true",
}


def kept_secret_key() -> str:
    """Return the key that signs the sessions of this machine; made once, readable by its owner alone."""
    if not SECRET_KEY.exists():
        INSTANCE.mkdir(exist_ok=True)
        handle = os.open(SECRET_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return SECRET_KEY.read_text().strip()


def set_environment() -> None:
    """Fill in what neither the environment nor ``.env`` says."""
    load_dotenv()
    for name, value in DEFAULTS.items():
        os.environ[name] = os.environ.get(name) or value
    if not os.environ.get("LOTUS_SECRET_KEY"):
        os.environ["LOTUS_SECRET_KEY"] = kept_secret_key()


def prepare_store(settings: Settings) -> None:
    """Bring the store up to date and load the demo tenant if this machine has not got it.

    Raises DBAPIError when the store cannot be reached, CalledProcessError when the demo tenant cannot be loaded.
    """
    with create_app(settings).app_context():
        upgrade()
        loaded = is_loaded()
        db.session.remove()
        db.engine.dispose()
    if settings.production or settings.store_backend == "IN_MEMORY":
        return
    if not loaded:
        print("Loading the demo tenant (first use only, 15 s or so)", flush=True)
        others = {name: value for name, value in os.environ.items() if name != METRICS}
        subprocess.run([*FLASK, "demo", "load"], check=True, env=others)
    if SIGN_INS.exists():
        print("Demo sign-ins:", flush=True)
        print(SIGN_INS.read_text(), end="", flush=True)


def prepare() -> int:
    """Make everything ready to serve; return 0, or the exit code when something is wrong (one line on stderr says what)."""
    try:
        set_environment()
        prepare_store(Settings.from_environ())
    except KeyboardInterrupt:
        return 130
    except (BadSetting, DBAPIError, OSError, subprocess.CalledProcessError) as problem:
        print(f"error: {sentence(problem)}", file=sys.stderr)
        return 1
    return 0


def sentence(problem: Exception) -> str:
    """Say in one line what stands in the way."""
    match problem:
        case DBAPIError():
            return f"the store cannot be opened: {' '.join(str(problem.orig).split())}"
        case OSError():
            return f"{problem.strerror}: {problem.filename}"
        case subprocess.CalledProcessError():
            return "the demo tenant could not be loaded; the lines above say why"
        case _:
            return str(problem)


def serve() -> None:
    """Become the web server in this very process: what was imported for the store's sake need not be imported again."""
    sys.argv = ["gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    gunicorn.run()
