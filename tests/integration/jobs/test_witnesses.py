"""A witness in a process of its own signs our checkpoints, and refuses those of a log that was rewritten with our own key."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.jobs import witnesses
from lotus_web.jobs.context import JobContext
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.queries.transparency.proofs import cosigned_note, newest_checkpoint
from lotus_web.queries.transparency.state import checkpoint_state
from lotus_web.services.transparency.cosignatures import WitnessRefused
from lotus_web.store.session import db
from tests.conftest import MakeApp
from tests.support.histories import NOW, unguarded
from tests.support.logs import ORIGIN, fill, log_settings, sign
from tests.tools.third_party_tlog import aics_tlog


@dataclass
class WitnessProcess:
    """``flask audit witness serve`` in a folder of its own, with nothing of the deployment but its key."""

    folder: Path
    root: Path
    log_key: str
    port: int = 0
    key: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "flask", "--app", str(self.root / "app.py"), "audit", "witness", "serve"]
        options = ["--name", "audit.example/w", "--key", "key", "--state", "state", "--log", self.log_key]
        self.process = subprocess.Popen(
            [*command, *options, "--port", str(self.port)],
            cwd=self.folder,
            env={"PYTHONUNBUFFERED": "1", "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        said = self.process.stderr.readline()
        assert "listens on" in said, said + self.process.stderr.read()
        self.port, self.key = int(said.rpartition(":")[2]), self.process.stdout.readline().strip()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=60)
            self.process = None

    @property
    def setting(self) -> str:
        return json.dumps([{"url": f"http://127.0.0.1:{self.port}", "key": self.key}])


@pytest.fixture
def witness(make_app: MakeApp, tmp_path: Path, root: Path) -> Iterator[WitnessProcess]:
    app = make_app(**log_settings(tmp_path))
    with app.app_context():
        (key,) = log_keys(db.session(), app.extensions["lotus_settings"], "default")
    folder = tmp_path / "witness"
    folder.mkdir()
    process = WitnessProcess(folder, root, str(key))
    process.start()
    yield process
    process.stop()


def ask(app: Flask) -> dict[str, Any]:
    return witnesses.ask_all(JobContext(app.extensions["lotus_settings"]), NOW)


def rewrite() -> None:
    """Do what somebody with the database and our key can: change an entry that is signed, and forget what was signed."""
    for table in ("dg_event_log", "dg_log_tiles", "dg_log_checkpoints", "dg_log_cosignatures"):
        with unguarded(table) as session:
            if table == "dg_event_log":
                edit = "UPDATE dg_event_log SET entry_hash = 'sha256:forged' WHERE event_id = 'bulk-default-3'"
                session.execute(text(edit))
            else:
                session.execute(text(f"DELETE FROM {table}"))


def test_a_witness_signs_what_continues_and_refuses_a_fork_also_after_its_restart(
    make_app: MakeApp, witness: WitnessProcess, tmp_path: Path
) -> None:
    app = make_app(**log_settings(tmp_path, LOTUS_WITNESSES=witness.setting))
    with app.app_context():
        for new in (300, 20):
            fill(new)
            sign(app)
            assert ask(app) == {"signed": 1, "away": 0}
            assert ask(app) == {"signed": 0, "away": 0}
        note = aics_tlog.parse_note(cosigned_note(db.session(), newest_checkpoint(db.session(), "default")))
        log, own = aics_tlog.parse_vkey(witness.log_key), aics_tlog.parse_vkey(witness.key)
        found = aics_tlog.verify_checkpoint(note, log, [own], quorum=1, expected_origin=f"{ORIGIN}/default")
        assert (found.ok, found.size) == (True, 320), found.error
        state = checkpoint_state(db.session(), app.extensions["lotus_settings"], "default")
        assert state is not None and state.witnesses == ("audit.example/w",)
        witness.stop()
        fill(5)
        sign(app)
        assert ask(app) == {"signed": 0, "away": 1}
        witness.start()
        rewrite()
        fill(10)
        sign(app)
        with pytest.raises(WitnessRefused, match=r"audit\.example/w did not sign the log of default: it answered 422"):
            ask(app)
        (evidence,) = (witness.folder / "state" / "evidence").rglob("*.txt")
        assert newest_checkpoint(db.session(), "default").note in evidence.read_text(encoding="utf-8")
        db.session.rollback()


def test_a_cut_log_is_told_by_the_size_that_the_witness_knows(
    make_app: MakeApp, witness: WitnessProcess, tmp_path: Path
) -> None:
    app = make_app(**log_settings(tmp_path, LOTUS_WITNESSES=witness.setting))
    with app.app_context():
        fill(40)
        sign(app)
        assert ask(app)["signed"] == 1
        rewrite()
        with unguarded("dg_event_log") as session:
            session.execute(text("DELETE FROM dg_event_log WHERE event_id >= 'bulk-default-3'"))
        sign(app)
        with pytest.raises(
            WitnessRefused, match=r"it signed 40 entries, and the checkpoint has [0-9]+: the log is another"
        ):
            ask(app)
        db.session.rollback()


def test_one_that_is_not_the_witness_is_not_believed(
    make_app: MakeApp, witness: WitnessProcess, tmp_path: Path
) -> None:
    other = aics_tlog.cosignature_vkey("audit.example/w", bytes(range(32)))
    setting = json.dumps([{"url": f"http://127.0.0.1:{witness.port}", "key": aics_tlog.format_vkey(other)}])
    app = make_app(**log_settings(tmp_path, LOTUS_WITNESSES=setting))
    with app.app_context():
        fill(4)
        sign(app)
        with pytest.raises(WitnessRefused, match="is not its signature"):
            ask(app)
        db.session.rollback()
