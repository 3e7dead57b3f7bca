"""``make run``: settings for one machine, a migrated store, the demo tenant on first use, then gunicorn.

Everything is stored in ``instance/`` of the current folder. The environment and ``.env`` override each setting made here.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from dotenv import load_dotenv
from flask_migrate import upgrade
from sqlalchemy.exc import DBAPIError

from lotus_web import create_app
from lotus_web.config.settings import BadSetting, Settings
from lotus_web.demo.load import is_loaded
from lotus_web.store.ed25519 import NoSigningKey, create_key
from lotus_web.store.private_files import close_to_others, make_file, make_folder
from lotus_web.store.session import db

ROOT = Path(__file__).resolve().parent.parent.parent
INSTANCE = Path("instance")
SECRET_KEY = INSTANCE / "secret_key"
LOG_KEY = INSTANCE / "log_key"
SIGN_INS = INSTANCE / "demo_sign_ins"
FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"))
# Not passed on to the process that loads the demo tenant: what it counts does not belong to the server's metrics.
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
    """Return the key that signs this machine's sessions, made on first use and readable by its owner only."""
    if not SECRET_KEY.exists():
        with os.fdopen(make_file(SECRET_KEY), "w") as file:
            file.write(secrets.token_hex(32))
    return SECRET_KEY.read_text().strip()


def set_environment() -> None:
    """Fill in the defaults of ``make run`` for settings that neither the environment nor ``.env`` has."""
    load_dotenv()
    for name, value in DEFAULTS.items():
        os.environ[name] = os.environ.get(name) or value
    if not os.environ.get("LOTUS_SECRET_KEY"):
        os.environ["LOTUS_SECRET_KEY"] = kept_secret_key()
    if not os.environ.get("LOTUS_LOG_KEY_FILE"):
        if not LOG_KEY.exists():
            create_key(LOG_KEY)
        os.environ["LOTUS_LOG_KEY_FILE"] = str(LOG_KEY)


def prepare_store(settings: Settings) -> None:
    """Migrate the store, and load the demo tenant if it is not there yet.

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
    """Prepare the store; return 0, or the exit code after an error, which is printed to stderr as one line."""
    try:
        set_environment()
        make_folder(INSTANCE)
        close_to_others(INSTANCE)  # which a backup may have restored, or an earlier version made, for everybody to read
        prepare_store(Settings.from_environ())
    except KeyboardInterrupt:
        return 130
    except (BadSetting, DBAPIError, NoSigningKey, OSError, subprocess.CalledProcessError) as problem:
        print(f"error: {sentence(problem)}", file=sys.stderr)
        return 1
    return 0


def sentence(problem: Exception) -> str:
    """Return an error as one line."""
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
    """Run the web server in this process, which has the application imported already."""
    # Imported late: gunicorn reads WEB_CONCURRENCY as it is imported, and has no clear message for a value that is no number.
    from gunicorn.app import wsgiapp

    sys.argv = ["gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    wsgiapp.run()
