"""Twenty at once: one wins, the others are told so, and the history holds one line (delta 2, 8; workflow.md §2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.models import TenantRuntime
from lotus_web.services.events.log import lock_tenant
from lotus_web.store.session import db, transaction
from tests.integration.races.crew import Nursery, threads
from tests.integration.races.moves import append_start, approve, mixed, simulate_as
from tests.support.histories import assert_provable, contents, count, record, verify

AT_ONCE = 20
PROCESSES, THREADS_EACH = 4, 5
# Twenty connections at once are more than a pool of one process would give out as a rule.
pytestmark = pytest.mark.environ(LOTUS_DATABASE_POOL_SIZE="24", DPM_WORKFLOW_ENABLED="true")

Run = Callable[..., Counter[str]]


@pytest.fixture(params=["threads", "processes"])
def at_once(request: pytest.FixtureRequest, app: Flask, store_url: str, nursery: Nursery) -> Run:
    """``at_once(job, calls)``: twenty threads of one app, or four processes with five threads each."""
    if request.param == "threads":
        return lambda job, calls: threads(app, calls)
    return lambda job, calls: nursery.together(store_url, job, processes=PROCESSES, threads_each=THREADS_EACH)


def recorded(app: Flask) -> dict[str, int]:
    with app.app_context():
        with transaction() as session:
            record(session, 1)
        held = contents()
        db.session.remove()
        db.engine.dispose()
    return held


def test_of_twenty_approvals_one_succeeds_and_is_written_once(app: Flask, at_once: Run) -> None:
    before = recorded(app)
    outcomes = at_once("approvals", [approve] * AT_ONCE)
    assert outcomes == {"done": 1, "Conflict DPM_WORKFLOW_INVALID_TRANSITION": AT_ONCE - 1}
    with app.app_context():
        after = contents()
        grown = {table: after[table] - before[table] for table in after if after[table] != before[table]}
        assert grown == {
            "dg_event_log": 1,
            "dg_workflow_actions": 1,
            "dpm_workflow_decisions": 1,
            "dg_workflow_notifications": 1,
            "dpm_lineage_edges": 1,
        }
        assert_provable()


def test_of_twenty_different_actions_on_what_all_saw_one_succeeds(app: Flask, at_once: Run) -> None:
    before = recorded(app)
    outcomes = at_once("mixture", [mixed(number) for number in range(AT_ONCE)])
    assert outcomes == {"done": 1, "Conflict version_conflict": AT_ONCE - 1}
    with app.app_context():
        assert contents()["dg_workflow_actions"] - before["dg_workflow_actions"] == 1
        assert count("dg_workflow_items", "version = 2") == 1
        assert_provable()


def test_twenty_simulations_under_one_key_are_one_run_with_one_answer(app: Flask, at_once: Run) -> None:
    outcomes = at_once("simulations", [simulate_as(number) for number in range(AT_ONCE)])
    assert list(outcomes.values()) == [AT_ONCE]
    with app.app_context():
        assert count("dpm_runs") == 1
        assert count("dpm_idempotency_history") == AT_ONCE
        assert count("dpm_lineage_edges", "edge_type = 'REPLAYED_FROM'") == AT_ONCE - 1
        assert_provable()


def test_a_tenant_used_first_by_many_at_once_has_one_chain(app: Flask, at_once: Run) -> None:
    assert at_once("first_events", [append_start(number) for number in range(AT_ONCE)]) == {"done": AT_ONCE}
    with app.app_context():
        report = verify("new-tenant")
        assert (report.intact, report.entries) == (True, AT_ONCE)


def test_two_requests_under_one_key_are_one_run_and_conflicts(app: Flask) -> None:
    calls = [simulate_as(number, f"pf-{number % 2}") for number in range(AT_ONCE)]
    outcomes = threads(app, calls)
    conflict = "Conflict IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"
    assert outcomes[conflict] == AT_ONCE // 2
    assert len(outcomes) == 2
    with app.app_context():
        assert count("dpm_runs") == 1
        assert_provable()


@pytest.mark.stores("postgresql")
def test_a_tenant_whose_writer_dawdles_does_not_hold_up_another(app: Flask) -> None:
    """While one writer holds its tenant's lock, twenty of another tenant come and go; the lock is still held then."""
    with app.app_context():
        with transaction() as session:
            lock_tenant(session, "slow-tenant")
        with transaction() as session:
            lock_tenant(session, "slow-tenant")
            calls = [append_start(number, "quick-tenant") for number in range(AT_ONCE)]
            assert threads(app, calls) == {"done": AT_ONCE}
            assert session.execute(text("SELECT 1")).scalar_one() == 1
        assert db.session.get(TenantRuntime, "quick-tenant") is not None
        assert verify("quick-tenant").entries == AT_ONCE
