"""GET /metrics: what was answered, what waits, to whom it is told, and at what price."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import OperationalError

from lotus_web.api.health import metrics as route
from lotus_web.api.openapi.bodies import SIMULATE
from lotus_web.domain.access import Permission
from lotus_web.models import EventLogEntry, JobRun, TenantRuntime, WorkflowItem
from lotus_web.queries.health.figures import store_figures
from lotus_web.store.session import db, transaction
from tests.conftest import MakeApp
from tests.servers.live_server import serving
from tests.servers.patience import PATIENCE
from tests.stores.makers import SqliteStores
from tests.support.people import bearer_of

WORKFLOW_ON = {"DPM_WORKFLOW_ENABLED": "true", "LOTUS_FOUR_EYES": "false"}
ASKED = 40
Figures = dict[str, float]


def figures(client: FlaskClient, **headers: str) -> Figures:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/plain"
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


@pytest.fixture
def reviewing(make_app: MakeApp) -> Flask:
    return make_app(**WORKFLOW_ON)


@pytest.fixture
def feed(reviewing: Flask) -> Any:
    """``feed(path, body, **headers)`` posts with a token that may do everything."""
    client = reviewing.test_client()
    bearer = bearer_of(reviewing, "engine", tuple(Permission))

    def post(path: str, body: object, **headers: str) -> Any:
        return client.post(path, json=body, headers={"Authorization": f"Bearer {bearer}"} | headers)

    return post


def test_requests_are_counted_by_route_and_status(client: FlaskClient) -> None:
    before = figures(client)
    for path in ("/health/live", "/health/live", "/rebalance/runs", "/no/such/page"):
        client.get(path)
    after = figures(client)
    live = 'lotus_requests_total{method="GET",route="/health/live",status="200"}'
    assert after[live] - before.get(live, 0) == 2
    assert 'lotus_requests_total{method="GET",route="/rebalance/runs",status="401"}' in after
    assert 'lotus_requests_total{method="GET",route="(none)",status="404"}' in after
    timed = 'lotus_request_seconds_count{method="GET",route="/health/live",status="200"}'
    assert after[timed] - before.get(timed, 0) == 2


def test_ids_and_made_up_methods_make_no_series_of_their_own(client: FlaskClient) -> None:
    for number in range(5):
        client.get(f"/rebalance/runs/rr_{number}")
        client.open("/health", method=f"METHOD{number}")
    names = " ".join(figures(client))
    assert "rr_" not in names
    assert "METHOD" not in names
    assert 'route="/rebalance/runs/<ident:rebalance_run_id>"' in names


def entries(app: Flask) -> int:
    """Return how many entries the logs hold."""
    with app.app_context():
        return db.session.scalars(select(func.count()).select_from(EventLogEntry)).one()


def test_what_waits_and_what_was_decided_is_told(reviewing: Flask, feed: Any) -> None:
    client, began = reviewing.test_client(), datetime.now(UTC)
    empty = figures(client)
    assert (empty["lotus_store_up"], empty["lotus_items_overdue"]) == (1, 0)
    assert empty["lotus_chain_entries_total"] == entries(reviewing)
    runs = [feed("/rebalance/simulate", SIMULATE, **{"Idempotency-Key": f"key-{n}"}).json for n in range(3)]
    decision = {"action": "APPROVE", "reason_code": "REVIEW_APPROVED", "actor_id": "engine"}
    path = f"/rebalance/runs/{runs[0]['rebalance_run_id']}/workflow/actions"
    assert feed(path, decision).status_code == 200
    conflict = 'lotus_conflicts_total{route="/rebalance/runs/<ident:rebalance_run_id>/workflow/actions"}'
    before = figures(client)
    assert feed(path, decision).status_code == 409
    found = figures(client)
    assert found['lotus_decisions_total{action="APPROVE"}'] == 1
    assert found['lotus_items_open{status="requested"}'] == 2
    assert found["lotus_chain_entries_total"] == entries(reviewing) >= empty["lotus_chain_entries_total"] + 10
    assert 0 <= found["lotus_chain_head_age_seconds"] <= (datetime.now(UTC) - began).total_seconds()
    assert found[conflict] - before.get(conflict, 0) == 1
    assert not [name for name in found if runs[0]["rebalance_run_id"] in name or "default" in name or "engine" in name]


def test_what_there_is_none_of_is_told_as_0(client: FlaskClient) -> None:
    client.post("/rebalance/simulate")
    found = figures(client)
    empty = {
        *(f'lotus_decisions_total{{action="{action}"}}' for action in ("APPROVE", "REJECT", "REQUEST_CHANGES")),
        *(
            f'lotus_items_open{{status="{one}"}}'
            for one in ("requested", "in_review", "changes_requested", "escalated")
        ),
        *(f'lotus_operations_unfinished{{status="{status}"}}' for status in ("PENDING", "RUNNING")),
    }
    assert {name: found.get(name) for name in empty} == dict.fromkeys(empty, 0)
    assert 'lotus_conflicts_total{route="/rebalance/simulate"}' in found


def test_what_is_late_is_told_with_how_late_it_is(reviewing: Flask, feed: Any) -> None:
    feed("/rebalance/simulate", SIMULATE, **{"Idempotency-Key": "late"})
    now = datetime.now(UTC)
    with reviewing.app_context(), transaction() as session:
        session.execute(update(WorkflowItem).values(sla_due_at=now - timedelta(minutes=10)))
        session.add(JobRun(job="sla", owner="a", started_at=now, finished_at=now - timedelta(minutes=5), error=None))
        session.add(JobRun(job="retention", owner="a", started_at=now, finished_at=now, error="broken"))
    with reviewing.app_context():
        late = store_figures(db.session(), now=now)
        assert (late.overdue_items, late.sweep_lag, late.jobs) == (1, 600, {"sla": 300})
    with reviewing.app_context(), transaction() as session:
        session.execute(update(WorkflowItem).values(status="escalated"))
    with reviewing.app_context():
        escalated = store_figures(db.session(), now=now)
        assert (escalated.overdue_items, escalated.sweep_lag) == (1, 0)


@pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY")
def test_the_queue_of_operations_is_told(reviewing: Flask, feed: Any) -> None:
    body = {name: part for name, part in SIMULATE.items() if name != "options"} | {"scenarios": {"base": {}}}
    began = datetime.now(UTC)
    assert feed("/rebalance/analyze/async", body).status_code == 202
    later = datetime.now(UTC) + timedelta(minutes=1)
    with reviewing.app_context():
        found = store_figures(db.session(), now=later)
    assert found.operations == {"PENDING": 1, "RUNNING": 0}
    assert 60 <= found.queue_lag <= (later - began).total_seconds()


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(
    ("access", "production", "opens"),
    [("auto", False, True), ("auto", True, False), ("token", False, False), ("public", True, True)],
)
def test_figures_are_given_to_everyone_only_where_a_deployment_says_so(
    make_app: MakeApp, access: str, production: bool, opens: bool
) -> None:
    app = make_app(LOTUS_METRICS_ACCESS=access, LOTUS_ENV="production" if production else "development")
    client = app.test_client()
    assert client.get("/metrics").status_code == (200 if opens else 401)
    reader, writer = (
        bearer_of(app, one, (may,)) for one, may in (("r", Permission.RUNS_READ), ("w", Permission.RUNS_WRITE))
    )
    assert figures(client, Authorization=f"Bearer {reader}")["lotus_store_up"] == 1
    assert client.get("/metrics", headers={"Authorization": f"Bearer {writer}"}).status_code == (200 if opens else 403)


@pytest.mark.stores("sqlite")
def test_while_the_store_is_away_the_requests_are_still_told(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(route, "store_figures", away)
    found = figures(client)
    assert found["lotus_store_up"] == 0
    assert "lotus_items_overdue" not in found
    assert any(name.startswith("lotus_requests_total") for name in found)


def test_the_workers_of_a_server_are_added_up(sqlite_stores: SqliteStores, tmp_path: Path) -> None:
    with serving(sqlite_stores, tmp_path, {}, workers=2) as server:
        for _ in range(ASKED):
            with urlopen(f"{server.url}/health/live", timeout=PATIENCE) as answer:
                assert answer.status == 200
        with urlopen(f"{server.url}/metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
    assert f'lotus_requests_total{{method="GET",route="/health/live",status="200"}} {ASKED}.0' in text
    assert "lotus_store_up 1.0" in text


def test_no_figure_reads_a_table_through(reviewing: Flask) -> None:
    """What an operator asks every few seconds must not grow with the store: tenants and jobs are a row each."""
    statements: list[tuple[str, Any]] = []
    with reviewing.app_context():
        session = db.session()
        _crowd(session)

        def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            statements.append((statement, parameters))

        event.listen(db.engine, "before_cursor_execute", note)
        store_figures(session, now=datetime.now(UTC))
        event.remove(db.engine, "before_cursor_execute", note)
        plans = [line for found in statements for line in _plan(session, *found)]
    small = {"dg_workflow_runtime", "job_runs"}
    read_through = {found[1] for line in plans if (found := re.search(r"(?:SCAN|Seq Scan on) (\w+)\b(?! USING)", line))}
    assert plans
    assert read_through - small == set()
    # The index of every item ever asked grows with the store; what is open does not.
    assert not [line for line in plans if "ix_dg_workflow_items_all" in line]


def _crowd(session: Any) -> None:
    now = datetime.now(UTC)
    for number in range(20):
        session.add(TenantRuntime(tenant_id=f"t{number}", last_log_seq=0, head_hash="", entry_count=0, updated_at=now))
    session.commit()


def _plan(session: Any, statement: str, parameters: Any) -> list[str]:
    if not statement.lstrip().upper().startswith("SELECT"):
        return []
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    # The planner reads a small table through whatever indexes there are; what counts is whether it has to.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
