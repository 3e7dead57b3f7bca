"""What housekeeping removes, and that it goes to lapsed rows by an index among all the keys that were ever used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from lotus_web.jobs import housekeeping
from lotus_web.jobs.context import JobContext
from lotus_web.models import Delivery, IdempotencyKey
from lotus_web.services.idempotency import LEASE, reserve_key
from lotus_web.services.retention.housekeeping import PURGES
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_keys
from tests.integration.jobs.sla.test_sweep import explained
from tests.support.events import NOON

MANY = 4_000
LATER = NOON + timedelta(hours=2)


def reserve(key: str, *, ago: timedelta) -> None:
    with transaction() as session:
        reserve_key(session, tenant_id="default", key=key, request_hash="h", owner=f"own_{key}", now=LATER - ago)


def test_reservations_that_lapsed_long_ago_go_and_are_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.services.retention.housekeeping.BATCH", 2)
    add_keys(app, 3, start=NOON)
    with app.app_context():
        for number in range(5):
            reserve(f"lapsed-{number}", ago=timedelta(hours=1) + 2 * LEASE)
        reserve("lapsed-just-now", ago=timedelta(minutes=30))
        reserve("held", ago=timedelta(0))
        done = housekeeping.purge(JobContext(app.extensions["lotus_settings"]), LATER)
        assert done == {"sessions": 0, "sign_in_failures": 0, "reservations": 5, "deliveries": 0, "challenges": 0}
        kept = db.session.scalars(select(IdempotencyKey.idempotency_key).order_by(IdempotencyKey.idempotency_key))
        assert list(kept) == ["held", "key-0", "key-1", "key-2", "lapsed-just-now"]


def deliver(number: int, *, status: str = "delivered", ago: timedelta) -> None:
    """Store a delivery that ended, or was stored, so long ago."""
    finished = status != "pending"
    with transaction() as session:
        session.add(
            Delivery(
                delivery_id=f"{status}-{number}",
                tenant_id="default",
                kind="notice",
                subject_id=f"{status}-{number}",
                channel="mail",
                status=status,
                attempts=1,
                due_at=None if finished else LATER - ago,
                created_at=LATER - ago,
                finished_at=LATER - ago if finished else None,
            )
        )


def test_deliveries_that_were_done_a_month_ago_go_and_no_others(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.services.retention.housekeeping.BATCH", 2)
    month = timedelta(days=30)
    with app.app_context():
        for number in range(3):
            deliver(number, ago=month + timedelta(seconds=1))
        deliver(3, ago=month)
        for status in ("dead", "pending"):
            deliver(0, status=status, ago=2 * month)
        assert housekeeping.purge(JobContext(app.extensions["lotus_settings"]), LATER)["deliveries"] == 3
        kept = db.session.scalars(select(Delivery.delivery_id).order_by(Delivery.delivery_id))
        assert list(kept) == ["dead-0", "delivered-3", "pending-0"]


def test_a_purge_of_deliveries_goes_by_an_index(app: Flask) -> None:
    row = {
        "tenant_id": "default",
        "kind": "notice",
        "channel": "mail",
        "status": "delivered",
        "attempts": 1,
        "created_at": NOON,
    }
    with app.app_context():
        with transaction() as own:
            own.execute(
                Delivery.__table__.insert(),  # type: ignore[attr-defined]
                [
                    row | {"delivery_id": f"d-{number}", "subject_id": f"d-{number}", "finished_at": LATER}
                    for number in range(MANY)
                ],
            )
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        sent: list[tuple[str, Any]] = []
        event.listen(db.engine, "before_cursor_execute", lambda *call: sent.append((call[2], call[3])))
        with transaction() as session:
            assert PURGES["deliveries"](session, now=LATER) == 0
        (found,) = [pair for pair in sent if pair[0].startswith("DELETE")]
        assert "ix_deliveries_done" in explained(*found)


def test_a_purge_walks_through_no_table(app: Flask) -> None:
    add_keys(app, MANY, start=NOON)
    with app.app_context():
        reserve("lapsed", ago=timedelta(hours=1) + 2 * LEASE)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        sent: list[tuple[str, Any]] = []
        event.listen(db.engine, "before_cursor_execute", lambda *call: sent.append((call[2], call[3])))
        with transaction() as session:
            assert [purge(session, now=LATER) for purge in PURGES.values()] == [0, 0, 1, 0, 0]
        deletes = [(statement, parameters) for statement, parameters in sent if statement.startswith("DELETE")]
        assert len(deletes) == len(PURGES)
        statement, parameters = next(pair for pair in deletes if "dpm_idempotency_keys" in pair[0])
        postgres = db.engine.dialect.name == "postgresql"
        explain = ("EXPLAIN " if postgres else "EXPLAIN QUERY PLAN ") + statement
        plan = "\n".join(str(row[-1]) for row in db.session.connection().exec_driver_sql(explain, parameters))
        assert "ix_dpm_idempotency_keys_reserved" in plan
        assert "Seq Scan" not in plan
        assert "SCAN dpm" not in plan, plan
