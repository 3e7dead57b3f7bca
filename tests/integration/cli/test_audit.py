"""`flask audit`: keys are made, shown and changed, and the verification of the store is against what was signed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.transparency.notes import parse_key
from lotus_web.models import EventLogEntry
from lotus_web.services.events import rebuild
from lotus_web.store.ed25519 import public_file, read_key
from lotus_web.store.session import db, transaction
from tests.conftest import MakeApp
from tests.support.histories import record, unguarded, workflow_id
from tests.support.logs import ORIGIN, fill, log_settings, sign

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment with a key and a log of seven entries."""
    made = make_app(**log_settings(tmp_path))
    with made.app_context():
        fill(7)
        sign(made)
    return made


@pytest.fixture
def flask(app: Flask) -> Run:
    """``flask("audit", …)``: the exit code and all that the command said."""

    def run(*arguments: str) -> tuple[int, str]:
        told = app.test_cli_runner().invoke(args=list(arguments))
        return told.exit_code, told.output

    return run


def test_verifying_the_store_names_the_last_checkpoint(flask: Run) -> None:
    code, said = flask("audit", "verify")
    assert code == 0, said
    assert "default: checkpoints: 1, the last one over 7 entries, all verified" in said


def test_a_log_that_is_not_the_one_that_was_signed_is_broken(app: Flask, flask: Run) -> None:
    with app.app_context(), unguarded("dg_event_log", "dg_workflow_runtime") as session:
        session.execute(text("DELETE FROM dg_event_log WHERE event_id = 'bulk-default-6'"))
        head = session.scalars(db.select(EventLogEntry.entry_hash).order_by(EventLogEntry.log_seq.desc())).first()
        session.execute(
            text(
                "UPDATE dg_workflow_runtime SET entry_count = 6, head_hash = :head,"
                " last_log_seq = (SELECT max(log_seq) FROM dg_event_log)"
            ),
            {"head": head},
        )
    code, said = flask("audit", "verify")
    assert code == 1
    assert "default: intact, 6 entries" in said
    assert "default: BROKEN: checkpoint of 7 entries: the log ends after 6 entries" in said
    code, said = flask("doctor")
    assert code == 1
    assert "wrong checkpoint of default: 7 entries: the log no longer gives the root that was signed" in said


def test_a_key_is_made_once_in_the_file_of_the_setting(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log"
    runner = make_app(LOTUS_LOG_KEY_FILE=str(path)).test_cli_runner()
    assert runner.invoke(args=["audit", "key", "create"]).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_file(path).is_file()
    again = runner.invoke(args=["audit", "key", "create"])
    assert (again.exit_code, "is there already" in again.output) == (1, True)


@pytest.mark.parametrize("command", ["create", "rotate"])
def test_without_the_setting_there_is_no_key(make_app: MakeApp, command: str) -> None:
    told = make_app().test_cli_runner().invoke(args=["audit", "key", command])
    assert (told.exit_code, "LOTUS_LOG_KEY_FILE names no file." in told.output) == (1, True)


def test_the_keys_of_a_log_are_shown_as_others_take_them(flask: Run, tmp_path: Path) -> None:
    code, said = flask("audit", "key", "show")
    assert code == 0, said
    key = parse_key(said)
    assert (key.name, key.public) == (f"{ORIGIN}/default", read_key(tmp_path / "log_key").public)


def test_a_key_is_changed_and_the_old_checkpoints_still_verify(app: Flask, flask: Run, tmp_path: Path) -> None:
    old = read_key(tmp_path / "log_key")
    code, said = flask("audit", "key", "rotate")
    assert code == 0, said
    new = read_key(tmp_path / "log_key")
    assert new.public != old.public
    with app.app_context():
        fill(2)
        sign(app)
    code, said = flask("audit", "verify")
    assert (code, "checkpoints: 2, the last one over 10 entries" in said) == (0, True), said
    assert len(flask("audit", "key", "show")[1].split()) == 2
    assert {path.name for path in tmp_path.glob("log_key*")} == {
        "log_key", "log_key.pub", f"log_key.{old.public.hex()[:8]}",
    }  # fmt: skip


def test_a_change_that_was_interrupted_is_finished_by_asking_again(
    app: Flask, flask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("the power went")))
        assert flask("audit", "key", "rotate")[0] == 1
    assert (tmp_path / "log_key.new").is_file()
    with app.app_context():
        fill(1)
        with pytest.raises(Exception, match="is not the one that signed"):
            sign(app)
    assert flask("audit", "key", "rotate")[0] == 0
    with app.app_context():
        assert sign(app)["signed"] == 1
    assert flask("audit", "verify")[0] == 0


def test_the_doctor_asks_for_a_key_in_production(make_app: MakeApp) -> None:
    for environment, state in (("development", "note"), ("production", "wrong")):
        told = make_app(LOTUS_ENV=environment).test_cli_runner().invoke(args=["doctor"]).output
        assert f"{state:<6}log key: LOTUS_LOG_KEY_FILE is not set" in told
        assert "audit key create" in told


def test_the_doctor_says_that_checkpoints_hold(flask: Run) -> None:
    code, said = flask("doctor")
    assert code == 0, said
    assert "ok    log key: Checkpoints of the log are signed" in said
    assert "ok    checkpoint of default: 7 entries, signed at 2026-03-02 09:00:00 UTC" in said


def test_the_doctor_says_that_the_key_is_another(app: Flask, flask: Run, tmp_path: Path) -> None:
    (tmp_path / "log_key").unlink()
    flask("audit", "key", "create")
    assert "log key: The key in LOTUS_LOG_KEY_FILE is not the one that signed" in flask("doctor")[1]
    (tmp_path / "log_key").chmod(0o644)
    public_file(tmp_path / "log_key").unlink()
    assert "can be read by others" in flask("doctor")[1]


def test_several_processes_find_what_one_finds(
    app: Flask, flask: Run, environ: dict[str, str], tmp_path: Path, root: Path
) -> None:
    with app.app_context():
        with transaction() as session:
            for number in range(1, 4):
                record(session, number)
        sign(app)
        with unguarded("dg_workflow_items") as session:
            session.execute(
                text("UPDATE dg_workflow_items SET title = 'Another' WHERE workflow_id = :id"),
                {"id": workflow_id(1)},
            )
        with unguarded("dpm_runs") as session:
            session.execute(text("UPDATE dpm_runs SET portfolio_id = 'another' WHERE rebalance_run_id = 'rr_00000002'"))
    code, alone = flask("audit", "verify")
    assert code == 1
    assert f"item {workflow_id(1)}: title differ from its history" in alone
    assert "run rr_00000002: it is not what the log records" in alone
    command = [sys.executable, "-m", "flask", "--app", str(root / "app.py"), "audit", "verify", "--processes", "2"]
    settings = {**environ, **log_settings(tmp_path)}
    together = subprocess.run(command, env=settings, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert together.returncode == 1, together.stderr
    lines = [line for line in (together.stdout + together.stderr).splitlines() if line.startswith("default: ")]
    assert sorted(lines) == sorted(line for line in alone.splitlines() if line.startswith("default: "))


def test_the_traces_are_parted_where_a_batch_of_the_fold_ends(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "TRACES_A_BATCH", 2)
    with app.app_context():
        assert rebuild.trace_bounds(db.session(), "default", 3) == ("bulk-default-1", "bulk-default-3")
        assert rebuild.trace_bounds(db.session(), "default", 1) == ()
        monkeypatch.setattr(rebuild, "TRACES_A_BATCH", 200)
        assert rebuild.trace_bounds(db.session(), "default", 3) == ()
