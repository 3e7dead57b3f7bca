"""`make run`: a real process on a free port, its settings, what it leaves behind and what it keeps."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.live_server import MAKE_RUN, ROOT, LiveServer, clean_environment
from tests.servers.patience import PATIENCE

STORE = {
    "DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE",
    "DPM_SUPPORTABILITY_SQLITE_PATH": "instance/lotus.db",
    "DPM_WORKFLOW_ENABLED": "true",
}
SIGN_IN = re.compile(r"[A-Za-z_]+  [^/]+ / \S+")


@pytest.fixture(scope="module")
def used_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the demo tenant, a small one, was loaded before."""
    folder = tmp_path_factory.mktemp("used")
    before = LiveServer(STORE, folder)
    before.flask("db", "upgrade")
    before.flask("demo", "load", "--runs", "20", "--quiet")
    return folder


@pytest.fixture
def machine(used_folder: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """`make run` where the demo tenant was loaded before."""
    shutil.copytree(used_folder, tmp_path, dirs_exist_ok=True)
    server = LiveServer({}, tmp_path, MAKE_RUN)
    yield server
    server.stop()


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def modes_in(folder: Path) -> dict[str, int]:
    """Return who may read a folder and each file in it, by name."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def doors_at(url: str) -> set[str]:
    """Return the sockets that listen at an address, by inode: the port alone may be somebody else's a moment later."""
    listening, port = "0A", f"{int(url.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[1].endswith(f":{port}") and row[3] == listening}


def test_on_first_use_it_loads_the_demo_tenant_then_names_the_sign_ins_and_the_address(tmp_path: Path) -> None:
    server = LiveServer({}, tmp_path, MAKE_RUN)
    try:
        server.start(workers=2)
        modes = modes_in(tmp_path / "instance")
        assert {"lotus.db", "lotus.db-wal", "lotus.db-shm", "secret_key", "log_key", "demo_sign_ins"} <= set(modes)
        assert modes == {name: 0o700 if name == "instance" else 0o600 for name in modes}
        lines = server.printed.splitlines()
        assert lines[0].startswith("Loading the demo tenant")
        sign_ins = (tmp_path / "instance" / "demo_sign_ins").read_text().splitlines()
        assert lines[-len(sign_ins) - 2 :] == ["Demo sign-ins:", *sign_ins, f"Serving on {server.url}"]
        assert sign_ins
        assert all(SIGN_IN.fullmatch(line) for line in sign_ins)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "a polite kill", "a closed terminal"]
)
def test_on_later_use_it_loads_nothing_and_stopping_it_leaves_no_process_and_frees_the_port(
    machine: LiveServer, how: signal.Signals
) -> None:
    instance = machine.folder / "instance"
    for path, mode in ((instance, 0o755), (instance / "lotus.db", 0o644), (instance / "demo_sign_ins", 0o644)):
        path.chmod(mode)
    machine.start(workers=2)
    assert set(modes_in(instance).values()) == {0o700, 0o600}
    assert machine.printed.splitlines()[0] == "Demo sign-ins:"
    assert status_of(f"{machine.url}/health") == 200
    doors = doors_at(machine.url)
    assert doors
    machine.stop(how)
    assert doors & doors_at(machine.url) == set()


def test_a_second_start_keeps_the_people_and_the_key_that_signs_their_sessions(machine: LiveServer) -> None:
    machine.start()
    key = machine.folder / "instance" / "secret_key"
    first_key = key.read_text()
    machine.settings = STORE
    machine.flask("users", "create", "Rosa", "--role", "reviewer", "--password-stdin", stdin="long enough a password\n")
    machine.stop()
    machine.start()
    assert "Rosa" in machine.flask("users", "list")
    assert key.read_text() == first_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_setting_of_the_environment_goes_before_its_own(machine: LiveServer) -> None:
    (machine.folder / "instance" / "lotus.db").rename(machine.folder / "elsewhere.db")
    machine.start(DPM_SUPPORTABILITY_SQLITE_PATH="elsewhere.db", LOTUS_JOBS="off")
    assert not (machine.folder / "instance" / "lotus.db").exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"LOTUS_JOBS": "sometimes"},
            "error: LOTUS_JOBS='sometimes' is not a value of this setting; allowed: embedded, external, off",
        ),
        (
            {"WEB_CONCURRENCY": "two"},
            "error: WEB_CONCURRENCY='two' is not a value of this setting; allowed: a whole number from 1 to 256",
        ),
        (
            {
                "DPM_SUPPORTABILITY_STORE_BACKEND": "SQL",
                "DPM_SUPPORTABILITY_DATABASE_URL": "postgresql+psycopg://nobody@/x?host=/nowhere",
            },
            "error: the store cannot be opened: ",
        ),
        (
            {"DPM_SUPPORTABILITY_SQLITE_PATH": "/dev/null/lotus.db"},
            "error: File exists: /dev/null",
        ),
    ],
    ids=["a bad value", "a bad number for gunicorn", "a store that is not there", "a folder that cannot be made"],
)
def test_what_cannot_be_used_stops_the_start_with_one_line(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    done = subprocess.run(
        MAKE_RUN,
        cwd=tmp_path,
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_a_taken_port_is_named_with_a_way_out_before_anything_is_installed() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            ["make", "run", f"PORT={port}", f"PYTHON={sys.executable}"],
            cwd=ROOT,
            env=clean_environment({}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode != 0
    assert f"error: port {port} is taken by another program; choose another: make run PORT={port + 1}" in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_none_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/check_port.py", "80000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "error: PORT=80000 is not a port; it is a number from 1 to 65535\n"
