"""What a request on proposals costs: a fixed number of statements, and no query that walks through a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from werkzeug.test import TestResponse

from lotus_web.models import ProposalApproval, ProposalDocument, ProposalEventRow, ProposalKey, ProposalVersion
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller
from tests.contract.proposals.requests import PROPOSALS, add_version, approval, create, created, path_of, sent, step
from tests.contract.proposals.test_list import add_proposals
from tests.contract.store.test_query_plans import is_small, noted, plan, walks_through
from tests.support.histories import NOW
from tests.support.logs import fill
from tests.support.proposals import create_json

Statements = Callable[[], AbstractContextManager[list[str]]]
MANY, LOGGED = 4_000, 2_000
# One row a tenant, and a table that is empty here.
SMALL = ("dg_workflow_runtime", "dpm_runs")
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
# At most, with the token, which is looked at again under the lock, and the answer, which is read back; each under a key.
WRITES = {"create": 17, "replay": 4, "version": 19, "submit": 17, "approve": 18, "consent": 14, "execute": 13}
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
    counted: dict[str, int] = {}

    def measured(name: str, write: Callable[[], TestResponse]) -> None:
        with statements() as seen:
            answer = write()
        assert answer.status_code == 200, answer.text
        counted[name] = len(seen)

    measured("create", lambda: create(adviser, key="key-3"))
    measured("replay", lambda: create(adviser, key="key-3"))
    measured("version", lambda: add_version(adviser, proposal_id, key="v"))
    measured("submit", lambda: step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", key="s"))
    measured("approve", lambda: approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", key="a"))
    measured("consent", lambda: approval(adviser, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT", key="c"))
    measured("execute", lambda: step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY", key="e"))
    assert counted.keys() == WRITES.keys()
    assert {name: number for name, number in counted.items() if number > WRITES[name]} == {}


def walked(app: Flask, statement: str, parameters: Any) -> list[str]:
    """Return where a plan reads a whole table, or an index by nothing but the tenant."""
    lines = plan(app, statement, parameters)
    if app.extensions["lotus_settings"].store_backend == "SQLITE":
        steps = [(line, line) for line in lines if line.lstrip().startswith(("SCAN", "SEARCH"))]
    else:
        following = [*lines[1:], ""]
        steps = [
            pair for pair in zip(lines, following, strict=True) if re.search(r"Seq Scan|Index (Only )?Scan", pair[0])
        ]
    return [
        line
        for line, by in steps
        if not is_small(line)
        and not any(name in line for name in SMALL)
        and not set(re.findall(r"(\w+)(?:=\?|\)?(?:::text)? = )", by)) - {"tenant_id"}
    ]


@pytest.fixture
def crowded(app: Flask) -> None:
    """Thousands of proposals, and of entries of the log."""
    add_versions(app, add_proposals(app, MANY))
    with app.app_context():
        fill(LOGGED)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def test_requests_do_not_walk_and_reads_ask_a_fixed_number_of_times(
    app: Flask, crowded: None, adviser: Caller, reviewer: Caller
) -> None:
    proposal_id = created(adviser)
    step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    approval(reviewer, proposal_id, "RISK", "RISK_REVIEW")
    reads = {path_of(proposal_id) + part: number for part, number in READS.items()}
    reads |= {PROPOSALS + part: 2 for part in LISTS} | {f"{PROPOSALS}/idempotency/key-1": 2}
    cursor = adviser.get(PROPOSALS).json["next_cursor"]
    reads |= {f"{PROPOSALS}?cursor={cursor}": 2, f"{PROPOSALS}?state=EXECUTED&cursor={cursor}": 2}
    asked: dict[str, int] = {}
    walking: dict[str, Any] = {}
    for path in reads:
        with noted(app) as seen:
            assert adviser.get(path).status_code == 200
        asked[path] = len(seen)
        for statement, parameters in seen:
            lines = plan(app, statement, parameters)
            if any(
                walks_through(line)
                for line in lines
                if "proposal_events" not in line and "proposal_approvals" not in line
            ):
                walking[path] = lines
    assert (asked, walking) == (reads, {})
    assert walking_writes(app, adviser, reviewer) == []


def walking_writes(app: Flask, adviser: Caller, reviewer: Caller) -> list[tuple[str, str]]:
    """Return where a write looks through more than it wants, whether it reads, changes or removes."""
    proposal_id, found = created(adviser, key="key-2"), []
    writes: dict[str, Callable[[], TestResponse]] = {
        "create": lambda: create(adviser, key="key-3"),
        "replay": lambda: create(adviser, key="key-3"),
        "version": lambda: add_version(adviser, proposal_id, key="v"),
        "submit": lambda: step(adviser, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", key="s"),
        "approve": lambda: approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", key="a"),
        "consent": lambda: approval(adviser, proposal_id, "CLIENT_CONSENT", "AWAITING_CLIENT_CONSENT", key="c"),
        "execute": lambda: step(adviser, proposal_id, "EXECUTED", "EXECUTION_READY", key="e"),
        "async": lambda: sent(adviser, f"{PROPOSALS}/async", create_json(created_by=adviser.account), "key-4"),
    }
    for name, write in writes.items():
        with noted(app, "SELECT", "UPDATE", "DELETE") as seen:
            answer = write()
        assert answer.status_code in (200, 202), answer.text
        for statement, parameters in seen:
            found += [(name, line) for line in walked(app, statement, parameters)]
    return found
