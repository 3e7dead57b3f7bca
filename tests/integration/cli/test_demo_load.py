"""The demo tenant is the same whether it is loaded through the services or in bulk, and either can be proved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web.config import current
from lotus_web.demo.bulk import BulkLoad
from lotus_web.demo.load import load_through_services
from lotus_web.demo.portfolios import demo_runs
from lotus_web.demo.timeline import moments
from lotus_web.models import Decision, EventLogEntry, LineageEdge, WorkflowAction, WorkflowItem
from lotus_web.queries.audit.chain import verify_chain
from lotus_web.services.events.rebuild import check_batch
from lotus_web.store.new_ids import repeatable_ids
from lotus_web.store.session import db, transaction
from tests.stores.makers import environment

RUNS = 75
NOW = current.utcnow()


def load(app: Flask, *, in_bulk: bool) -> None:
    story = moments(demo_runs(seed=1, count=RUNS), now=NOW)
    with repeatable_ids(1):
        if in_bulk:
            BulkLoad(current.policy(), 1).load(story, lambda _count: None)
            return
        with transaction() as session:
            load_through_services(session, story, policy=current.policy(), progress=lambda _count: None)


def loaded() -> dict[str, Any]:
    """Everything that does not depend on which ids were drawn."""
    items = select(
        WorkflowItem.trace_id,
        WorkflowItem.status,
        WorkflowItem.priority_rank,
        WorkflowItem.sla_due_at,
        WorkflowItem.assigned_account_id,
        WorkflowItem.assigned_role,
        WorkflowItem.request_reason,
        WorkflowItem.version,
    )
    return {
        "items": sorted(map(tuple, db.session.execute(items)), key=str),
        "events": sorted(map(tuple, db.session.execute(select(EventLogEntry.trace_id, EventLogEntry.event_type)))),
        "decisions": sorted(
            map(tuple, db.session.execute(select(Decision.portfolio_id, Decision.action, Decision.reason_code)))
        ),
        "actions": sorted(map(tuple, db.session.execute(select(WorkflowAction.trace_id, WorkflowAction.action_type)))),
        "edges": dict(
            map(tuple, db.session.execute(select(LineageEdge.edge_type, func.count()).group_by(LineageEdge.edge_type)))
        ),
    }


def hire(app: Flask) -> None:
    """Add the people whom an item can be given to."""
    from lotus_web.demo.people import PEOPLE
    from lotus_web.services.accounts.people import create_person
    from lotus_web.services.sign_in.passwords import hashed

    with app.app_context(), transaction() as session:
        for person in PEOPLE:
            create_person(
                session,
                name=person.name,
                password=hashed("a long enough password"),
                role=person.role,
                tenant_id="default",
                now=NOW,
            )


@pytest.fixture
def hired(app: Flask) -> None:
    hire(app)


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
@pytest.mark.parametrize("in_bulk", [False, True], ids=["services", "bulk"])
def test_the_loaded_log_is_intact_and_folds_into_the_very_items(app: Flask, hired: None, in_bulk: bool) -> None:
    with app.app_context():
        load(app, in_bulk=in_bulk)
        assert verify_chain(db.session(), "default").intact
        found = check_batch(db.session(), "default")
        assert found.items > 0
        assert list(found.differences) == []


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_bulk_and_services_leave_the_same_store(app: Flask, hired: None, make_app: Any, stores: Any) -> None:
    with app.app_context():
        load(app, in_bulk=False)
        through_services = loaded()
    other_url = stores.create()
    other = make_app(**environment(other_url))
    hire(other)
    with other.app_context():
        load(other, in_bulk=True)
        in_bulk = loaded()
        db.session.remove()
        db.engine.dispose()
    stores.drop(other_url)
    assert in_bulk == through_services


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="false")
def test_without_the_gate_the_runs_are_loaded_and_nothing_awaits_review(app: Flask, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = app.test_cli_runner().invoke(args=["demo", "load", "--runs", "10", "--quiet"])
    assert loaded.exit_code == 0, loaded.output
    with app.app_context():
        of_runs = select(func.count()).select_from(WorkflowItem).where(WorkflowItem.rebalance_run_id.is_not(None))
        assert db.session.scalar(of_runs) == 0
    again = app.test_cli_runner().invoke(args=["demo", "load", "--runs", "10"])
    assert again.exit_code == 1
    assert "already has runs" in again.output
    lines = (tmp_path / "instance" / "demo_sign_ins").read_text().splitlines()
    assert [bool(re.fullmatch(r"[a-z]+  [a-z.]+ / \S{12,}", line)) for line in lines] == [True] * 5
    assert (tmp_path / "instance" / "demo_sign_ins").stat().st_mode & 0o077 == 0


@pytest.mark.stores("sqlite")
@pytest.mark.environ(LOTUS_ENV="production")
def test_there_is_no_demo_in_production(app: Flask) -> None:
    refused = app.test_cli_runner().invoke(args=["demo", "load"])
    assert refused.exit_code == 1
    assert "no demo accounts in production" in refused.output
