"""`make run`: a real process on a free port, its settings, what it leaves behind and what it keeps."""

from __future__ import annotations

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

from tests.live_server import MAKE_RUN, ROOT, LiveServer, clean_environment

SIGN_INS = "REVIEWER  Rosa Reviewer / a-password\n"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[LiveServer]:
    """`make run` in a folder where the demo tenant was loaded before."""
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "demo_sign_ins").write_text(SIGN_INS)
    server = LiveServer({}, tmp_path, MAKE_RUN)
    yield server
    server.stop(signal.SIGKILL)


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def test_it_names_the_sign_ins_and_then_the_address_where_it_answers(machine: LiveServer) -> None:
    machine.start(workers=2)
    assert machine.log.splitlines()[-2:] == [SIGN_INS.strip(), f"Serving on {machine.url}"]
    assert status_of(f"{machine.url}/health") == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_stopping_it_leaves_no_process_and_frees_the_port(machine: LiveServer, how: signal.Signals) -> None:
    machine.start(workers=2)
    machine.stop(how)
    port = int(machine.url.rpartition(":")[2])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_second_start_keeps_the_people_and_the_key_that_signs_their_sessions(machine: LiveServer) -> None:
    machine.start()
    key = machine.folder / "instance" / "secret_key"
    first_key = key.read_text()
    machine.settings = {
        "DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE",
        "DPM_SUPPORTABILITY_SQLITE_PATH": "instance/lotus.db",
    }
    machine.flask("users", "create", "Rosa", "--role", "reviewer", "--password-stdin", stdin="long enough a password\n")
    machine.stop()
    machine.start()
    assert "Rosa" in machine.flask("users", "list")
    assert key.read_text() == first_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_setting_of_the_environment_goes_before_its_own(machine: LiveServer) -> None:
    machine.start(DPM_SUPPORTABILITY_SQLITE_PATH="elsewhere.db", LOTUS_JOBS="off")
    assert (machine.folder / "elsewhere.db").exists()
    assert not (machine.folder / "instance" / "lotus.db").exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"LOTUS_JOBS": "sometimes"},
            "error: LOTUS_JOBS='sometimes' is not a value of this setting; allowed: embedded, external, off",
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
    ids=["a bad value", "a store that is not there", "a folder that cannot be made"],
)
def test_what_cannot_be_used_stops_the_start_with_one_line(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    done = subprocess.run(
        MAKE_RUN, cwd=tmp_path, env=clean_environment(settings), capture_output=True, text=True, timeout=60, check=False
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
            capture_output=True,
            text=True,
            timeout=60,
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
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "error: PORT=80000 is not a port; it is a number from 1 to 65535\n"
