"""How many statements the store is sent for one command, on each store, through the routes that clients and people use.

What counts: every statement that SQLAlchemy hands to the driver in the whole request, the token or the session of the
signed-in person included; a statement with many rows counts once. BEGIN, COMMIT and PRAGMA do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.services import sla
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller, ready_request, review_request, segment
from tests.support import people

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
# An approval also compares the run with the log, an escalation is an entry of it. Of each decision one is the second look at the
# rights, once the lock is held.
DECISION, SIMULATE, ESCALATION = 14, 18, 7
# A page says what it showed: item, run and precedents are read anew to compare, and what was shown is stored.
EVIDENCE = 6
REASON = {"reason": "Cash is due next week.", "reason_code": "OTHER"}
TYPED = {"text": "Cash is due next week.", "reason_code": "OTHER"}
Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def run(engine: Caller) -> dict[str, str]:
    """A run that waits for a review, in a tenant that has recorded one before."""
    engine.run(review_request())
    return engine.run(review_request())


def item_of(run: dict[str, str]) -> str:
    """Return the id of a run's item."""
    return f"{run['correlation_id']}:exception:{run['rebalance_run_id']}"


@pytest.mark.parametrize("request_of", [review_request, ready_request])
def test_a_simulate(engine: Caller, run: object, statements: Statements, request_of: Callable[[], object]) -> None:
    with statements() as sent:
        engine.run(request_of())
    assert len(sent) <= SIMULATE, sent


def test_a_replay_of_a_simulate(engine: Caller, statements: Statements) -> None:
    engine.run(key="the-key")
    with statements() as sent:
        engine.run(key="the-key")
    assert len(sent) <= 8, sent


@pytest.mark.parametrize("action", ["APPROVE", "REJECT", "REQUEST_CHANGES"])
def test_a_decision_by_run(reviewer: Caller, run: dict[str, str], statements: Statements, action: str) -> None:
    with statements() as sent:
        assert reviewer.decide(run["rebalance_run_id"], action).status_code == 200
    assert len(sent) <= DECISION, sent


def test_a_decision_by_correlation_id_looks_for_the_run(
    reviewer: Caller, run: dict[str, str], statements: Statements
) -> None:
    with statements() as sent:
        assert reviewer.decide(f"by-correlation/{run['correlation_id']}").status_code == 200
    assert len(sent) <= DECISION + 1, sent


@pytest.mark.parametrize("action", ["approve", "reject", "request_change", "claim", "comment", "escalate"])
def test_an_action_by_a_program(
    make_caller: Callable[[str], Caller], run: dict[str, str], statements: Statements, action: str
) -> None:
    reviewer = make_caller("ops.manager")
    path = f"/workflows/{segment(item_of(run))}/actions"
    with statements() as sent:
        answer = reviewer.send("POST", path, json={"action": action, **REASON})
    assert answer.status_code == 200, answer.text
    assert len(sent) <= DECISION, sent


@pytest.mark.parametrize("action", ["approve", "reject", "request_change", "claim"])
def test_an_action_from_the_page(app: Flask, run: dict[str, str], statements: Statements, action: str) -> None:
    client, address = app.test_client(), f"/inbox/{segment(item_of(run))}"
    people.hire(app, "nora")
    assert people.sign_in(client, "nora").status_code == 303
    fields = people.hidden_fields(client.get(address)) | TYPED | {"action": action}
    with statements() as sent:
        assert client.post(address, data=fields).status_code == 303
    assert len(sent) <= DECISION + (0 if action == "claim" else EVIDENCE), sent


def test_an_escalation_by_the_sweep(app: Flask, run: dict[str, str], statements: Statements) -> None:
    with app.app_context(), statements() as sent:
        policy, late = DeploymentPolicy.of(app.extensions["lotus_settings"]), utcnow() + timedelta(days=30)
        with transaction() as session:
            assert sla.escalate(session, ("default", item_of(run)), now=late, policy=policy)
    assert len(sent) <= ESCALATION, sent


@pytest.mark.stores("sqlite")
def test_no_statement_of_a_command_scans_a_table(
    app: Flask, engine: Caller, reviewer: Caller, run: dict[str, str], statements: Statements
) -> None:
    with statements() as sent:
        engine.run(review_request())
        assert reviewer.decide(run["rebalance_run_id"]).status_code == 200
    asked = [statement for statement in sent if statement.startswith(("SELECT", "UPDATE"))]
    assert len(asked) > 8
    with app.app_context():
        driver = db.session.connection().connection.cursor()
        for statement in asked:
            driver.execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?"))
            steps = [step for *_, step in driver.fetchall()]
            assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step], statement
