"""Killed at any moment: what was acknowledged is there, the chain is intact, and no command is half-written."""

from __future__ import annotations

import random
import time

from flask import Flask
from sqlalchemy import text

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.models import Decision
from lotus_web.store.session import db, transaction
from tests.integration.races.crew import Nursery
from tests.servers.patience import until
from tests.support.histories import assert_provable, count, decide, record, verify

CRASHES = 20


def crash(nursery: Nursery, url: str, number: int, draw: random.Random) -> list[str]:
    """Let a process commit decisions, kill it some way into one of them, and return what it had acknowledged."""
    worker = nursery.worker(url, "stream", number=number)
    assert worker.line() == "ready"
    worker.say("go")
    seen = [worker.line() for _ in range(draw.randrange(1, 6))]
    # Busy waiting puts the kill anywhere within the next commands, which take a few milliseconds each.
    until = time.perf_counter() + draw.uniform(0, 0.02)
    while time.perf_counter() < until:
        pass
    return seen + worker.kill()


def nobody_else_works() -> bool:
    """Return whether the store is left to us: PostgreSQL still commits for a client that is gone what it has heard of."""
    if db.engine.dialect.name != "postgresql":
        return True
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    found = db.session.execute(text(others)).scalar_one()
    db.session.rollback()
    return bool(found == 0)


def test_a_process_killed_at_any_moment_loses_nothing_it_acknowledged(
    app: Flask, store_url: str, nursery: Nursery
) -> None:
    draw = random.Random(20)
    acknowledged: set[str] = set()
    for turn in range(CRASHES):
        acknowledged |= set(crash(nursery, store_url, 1 + turn * 1_000, draw))
        with app.app_context():
            until(nobody_else_works)
            stored = set(db.session.scalars(db.select(Decision.decision_id)))
            assert acknowledged <= stored
            assert verify().intact
            assert len(stored) == count("dg_workflow_actions")
            db.session.remove()
    with app.app_context():
        assert_provable()
        with transaction() as session:
            record(session, 999_999)
            decide(session, 999_999, GateAction.APPROVE)
        assert_provable()
    assert len(acknowledged) >= CRASHES
