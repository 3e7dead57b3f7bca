"""Empty, migrated databases for tests: made once a session as a template on each kind of store, then copied.

All workers of a run share one PostgreSQL. A keeper process (``python -m tests.stores.makers FOLDER``) owns it and goes by a lock:
every user holds ``users.lock`` shared until its process ends, however it ends, and when the keeper gets the lock for itself
nobody is left, so it stops the server and removes the folder.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import make_url

from tests.servers.patience import PATIENCE
from tests.stores import postgres

KINDS = ("sqlite", "postgresql")
SECRET_KEY = "a key for tests only, forty-four characters."
_ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = "template"


def environment(url: str) -> dict[str, str]:
    """Return the settings that put an app on the store at ``url``, in development, without a scheduler."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        store = {"DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE", "DPM_SUPPORTABILITY_SQLITE_PATH": str(address.database)}
    else:
        store = {"DPM_SUPPORTABILITY_STORE_BACKEND": "SQL", "DPM_SUPPORTABILITY_DATABASE_URL": url}
    return {"LOTUS_ENV": "development", "LOTUS_JOBS": "off", "LOTUS_SECRET_KEY": SECRET_KEY, **store}


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest migration and let go of it."""
    from lotus_web import create_app
    from lotus_web.config.settings import Settings

    app = create_app(Settings.from_environ(environment(url)))
    with app.app_context():
        upgrade()
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a file lock; the kernel lets it go when the process ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, how)
        yield


class SqliteStores:
    """Copies of one migrated file, in folders of this process: in memory while there is room."""

    def __init__(self) -> None:
        self._folders: dict[Path, Path] = {}
        self._numbers = itertools.count()
        self._template_made: Path | None = None

    def _folder(self) -> Path:
        place = postgres.fast_folder()
        if place not in self._folders:
            self._folders[place] = postgres.own_folder(place)
        return self._folders[place]

    def create(self, *, migrated: bool = True) -> str:
        """Return the URL of a new database, migrated or with nothing in it."""
        path = self._folder() / f"{next(self._numbers)}.db"
        if migrated:
            shutil.copyfile(self._template(), path)
        else:
            path.touch()
        return f"sqlite:///{path}"

    def copy(self, url: str) -> str:
        """Return the URL of a copy of a database that nobody is connected to."""
        path = self._folder() / f"{next(self._numbers)}.db"
        shutil.copyfile(str(make_url(url).database), path)
        return f"sqlite:///{path}"

    def _template(self) -> Path:
        if self._template_made is None:
            making = self._folder() / "making.db"
            migrate(f"sqlite:///{making}")
            self._template_made = making.rename(making.with_name(_TEMPLATE))
        return self._template_made

    def empty(self, url: str) -> None:
        """Make a database empty and migrated again while others have it open."""
        with (
            closing(sqlite3.connect(self._template())) as template,
            closing(sqlite3.connect(str(make_url(url).database), timeout=PATIENCE)) as database,
        ):
            template.backup(database)

    def drop(self, url: str) -> None:
        """Remove the file and its journals."""
        path = Path(str(make_url(url).database))
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()

    def close(self) -> None:
        """Remove the folders."""
        for folder in self._folders.values():
            postgres.remove_folder(folder)


class PostgresStores:
    """Databases copied from one migrated template on the run's shared server, named after the run."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._names = (f"{worker}_{number}" for number in itertools.count())
        self._users = (folder / "users.lock").open("w")
        try:
            self._address, self._prefix = self._join()
            self._admin = postgres.connect(self._address)
        except BaseException:
            self._users.close()
            raise

    def _join(self) -> list[str]:
        """Become a user of the run's server, the first one starts it; return its address and the prefix of our databases."""
        address = self._folder / "address"
        with locked(self._folder / "starting.lock"):
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not address.exists():
                start_keeper(self._folder)
            return address.read_text().split()

    def create(self, *, migrated: bool = True) -> str:
        """Return the URL of a new database, migrated or with nothing in it."""
        name = self._prefix + next(self._names)
        postgres.create_database(self._admin, name, self._template() if migrated else "template0")
        return self._url(name)

    def copy(self, url: str) -> str:
        """Return the URL of a copy of a database that nobody is connected to."""
        name = self._prefix + next(self._names)
        postgres.create_database(self._admin, name, str(make_url(url).database))
        return self._url(name)

    def _template(self) -> str:
        name = self._prefix + _TEMPLATE
        made = self._folder / _TEMPLATE
        with locked(self._folder / "template.lock"):
            if not made.exists():
                postgres.create_database(self._admin, name)
                migrate(self._url(name))
                made.touch()
        return name

    def _url(self, name: str) -> str:
        return make_url(self._address).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop the database and throw out who is still connected."""
        postgres.drop_database(self._admin, str(make_url(url).database))

    def close(self) -> None:
        """Let go of the server; the last one out stops it."""
        self._admin.close()
        self._users.close()


def start_keeper(folder: Path) -> None:
    """Start the process that owns the server and wait for its one line; raise what it could not do."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.stores.makers", str(folder)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    with keeper.stdout:
        answer = keeper.stdout.readline().strip()
    keeper.returncode = 0  # it outlives us on purpose: no warning about a child still running
    if answer == postgres.INSTALL_HINT:
        raise postgres.PostgresMissing(answer)
    if answer != "ready":
        raise RuntimeError("the keeper of the test server died; its error stands above")


def keep(folder: Path) -> None:
    """Own a server until nobody holds ``users.lock`` any more."""
    address = folder / "address"
    prefix = f"lotus_test_{uuid.uuid4().hex[:8]}_"
    given = os.environ.get("TEST_DATABASE_URL")
    server = None
    try:
        if given:
            admin = make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        else:
            server = postgres.PostgresServer()
            server.start()
            admin = server.url()
        address.write_text(f"{admin} {prefix}")
        print("ready", flush=True)
        sys.stdout.close()
        with locked(folder / "users.lock"):
            address.unlink()
            (folder / _TEMPLATE).unlink(missing_ok=True)
            for name in postgres.database_names(admin, prefix):
                postgres.drop_database(admin, name)
    except postgres.PostgresMissing as problem:
        print(problem, flush=True)
    finally:
        if server is not None:
            server.remove()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
