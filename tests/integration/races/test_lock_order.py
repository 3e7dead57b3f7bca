"""Commands that lock the same rows lock them in the same order, so that no two wait for each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.models import Run
from lotus_web.services.retention.purge import purge_batch
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.services.runs import simulate as simulations
from lotus_web.services.runs.record import record_run
from lotus_web.store.session import db, transaction
from tests.integration.races.crew import threads
from tests.integration.races.moves import body
from tests.servers.patience import PATIENCE, until
from tests.support.histories import FEED, POLICY

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NO_REPLAY = replace(POLICY, replay_enabled=False)
pytestmark = [pytest.mark.stores("postgresql"), pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")]


def simulate_at(moment: datetime) -> str:
    return simulations.simulate(
        body(), idempotency_key="a-key", correlation_id="c", actor=FEED, policy=NO_REPLAY, clock=lambda: moment
    ).rebalance_run_id


def test_a_key_goes_to_a_new_run_while_the_old_run_is_purged(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording has locked its key and goes on only once the purge of the key's old run waits for a lock."""
    now = datetime.now(UTC)
    with app.app_context():
        old_run = simulate_at(now - timedelta(days=90))
        store = db.engine
    begun = Event()

    def record_once_someone_waits(*args: Any, **how: Any) -> Run:
        begun.set()
        with store.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            until(lambda: watcher.scalar(text(WAITING)) > 0)
        return record_run(*args, **how)

    def simulate() -> str:
        return f"recorded {simulate_at(now) != old_run}"

    def purge() -> str:
        assert begun.wait(PATIENCE)
        with transaction() as session:
            return f"purged {purge_batch(session, Target(RUNS, 'default', now - timedelta(days=30), now), [old_run])['runs']}"

    monkeypatch.setattr(simulations, "record_run", record_once_someone_waits)
    assert threads(app, [simulate, purge]) == {"recorded True": 1, "purged 1": 1}
