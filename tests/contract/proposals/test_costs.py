"""What a request on proposals costs: a fixed number of statements, and no query that walks through a table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask
from sqlalchemy import insert
from werkzeug.test import TestResponse

from lotus_web.models import ProposalApproval, ProposalDocument, ProposalEventRow, ProposalKey, ProposalVersion
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller
from tests.contract.proposals.desk import PROPOSALS, add_version, approval, create, created, path_of, step
from tests.contract.proposals.test_list import add_proposals
from tests.contract.store.test_query_plans import noted, plan, walks_through
from tests.support.histories import NOW

Statements = Callable[[], AbstractContextManager[list[str]]]
MANY = 4_000
# Each with its queries, that for the token included.
READS = {
    "": 2,
    "?include_evidence=false": 2,
    "/versions": 2,
    "/versions/1": 2,
    "/lineage": 2,
    "/workflow-events": 3,
    "/approvals": 4,
}
# At most, with the token and the answer, which is read back; each under a key.
WRITES = {"create": 16, "replay": 4, "version": 18, "submit": 16, "approve": 17, "consent": 13, "execute": 12}
LISTS = (
    "",
    "?portfolio_id=pf-1",
    "?state=EXECUTED",
    "?created_by=adviser-1",
    "?state=nowhere",
    "?created_from=2026-03-02",
)


def add_versions(app: Flask, ids: list[str]) -> None:
    """Store a version for each proposal, with its documents, its event, its key and an approval."""
    places = [{"tenant_id": "default", "proposal_id": proposal_id} for proposal_id in ids]
    by = {"created_by": "a", "recorded_by": "a", "created_at": NOW, "correlation_id": "c"}
    hashes = dict.fromkeys(("request_hash", "simulation_hash", "artifact_hash"), "sha256:x")
    came_to = {
        "status_at_creation": "READY",
        "gate": "RISK_REVIEW_REQUIRED",
        "engine_version": "1",
        "portfolio_id": "pf",
    }
    acted = {"actor_id": "a", "recorded_by": "a", "occurred_at": NOW, "related_version_no": 1}
    created_event = {
        "event_type": "CREATED",
        "to_state": "DRAFT",
        "reason": {},
        "correlation_id": "c",
        "surface": "rfc",
    }
    given = {"approval_type": "RISK", "approved": True, "details": {}}
    rows: dict[type[Any], list[dict[str, Any]]] = {
        ProposalVersion: [
            {**place, "version_no": 1, "proposal_version_id": f"v{number}", **by, **hashes, **came_to}
            for number, place in enumerate(places)
        ],
        ProposalDocument: [
            {**place, "version_no": 1, "result": b"", "artifact": b"", "inputs": None} for place in places
        ],
        ProposalEventRow: [
            {**place, "event_id": f"e{number}", **acted, **created_event} for number, place in enumerate(places)
        ],
        ProposalApproval: [
            {**place, "approval_id": f"a{number}", "event_id": f"e{number}", **acted, **given}
            for number, place in enumerate(places)
        ],
        ProposalKey: [
            {
                **place,
                "scope": "",
                "idempotency_key": f"k{number}",
                "request_hash": "sha256:x",
                "event_id": f"e{number}",
                "created_at": NOW,
            }
            for number, place in enumerate(places)
        ],
    }
    with app.app_context(), transaction() as session:
        for model, values in rows.items():
            session.execute(insert(model), values)


def test_writes(adviser: Caller, reviewer: Caller, statements: Statements) -> None:
    created(adviser)
    proposal_id = created(adviser, key="key-2")
    sent: dict[str, int] = {}

    def measured(name: str, write: Callable[[], TestResponse]) -> None:
        with statements() as seen:
            answer = write()
        assert answer.status_code == 200, answer.text
        sent[name] = len(seen)

    measured("create", lambda: create(adviser, key="key-3"))
    measured("replay", lambda: create(adviser, key="key-3"))
    measured("version", lambda: add_version(adviser, proposal_id, key="v"))
    measured("submit", lambda: step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", key="s"))
    measured("approve", lambda: approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", key="a"))
    measured("consent", lambda: approval(adviser, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT", key="c"))
    measured("execute", lambda: step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY", key="e"))
    assert sent.keys() == WRITES.keys()
    assert {name: number for name, number in sent.items() if number > WRITES[name]} == {}


def test_reads_do_not_walk_and_ask_a_fixed_number_of_times(app: Flask, adviser: Caller, reviewer: Caller) -> None:
    add_versions(app, add_proposals(app, MANY))
    proposal_id = created(adviser)
    step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    approval(reviewer, proposal_id, "RISK", "RISK_REVIEW")
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    reads = {path_of(proposal_id) + part: number for part, number in READS.items()}
    reads |= {PROPOSALS + part: 2 for part in LISTS} | {f"{PROPOSALS}/idempotency/key-1": 2}
    cursor = adviser.get(PROPOSALS).json["next_cursor"]
    reads |= {f"{PROPOSALS}?cursor={cursor}": 2, f"{PROPOSALS}?state=EXECUTED&cursor={cursor}": 2}
    asked: dict[str, int] = {}
    walking: dict[str, Any] = {}
    for path in reads:
        with noted(app) as sent:
            assert adviser.get(path).status_code == 200
        asked[path] = len(sent)
        for statement, parameters in sent:
            lines = plan(app, statement, parameters)
            if any(
                walks_through(line)
                for line in lines
                if "proposal_events" not in line and "proposal_approvals" not in line
            ):
                walking[path] = lines
    assert (asked, walking) == (reads, {})
