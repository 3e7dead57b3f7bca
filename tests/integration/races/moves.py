"""What each of the crew does when the word is given: one command in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.services.runs.simulate import simulate
from lotus_web.store.session import transaction
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.integration.races.crew import ROOT
from tests.support.histories import ADA, FEED, POLICY, STARTED, act, append, decide, event, workflow_id

DEMO = json.loads((ROOT / "tests" / "data" / "reference-demos" / "01_standard_drift.json").read_text())
MIXTURE = (
    Action.APPROVE,
    Action.REJECT,
    Action.REQUEST_CHANGE,
    Action.CLAIM,
    Action.COMMENT,
    Action.ESCALATE,
    Action.REASSIGN,
)


def approve() -> str:
    """Approve run 1."""
    with transaction() as session:
        decide(session, 1, GateAction.APPROVE)
    return "done"


def mixed(number: int) -> Callable[[], str]:
    """Return a move on version 1 of the item of run 1, another for each number."""

    def move() -> str:
        with transaction() as session:
            act(session, workflow_id(1), MIXTURE[number % len(MIXTURE)], actor=ADA, version=1)
        return "done"

    return move


def body(portfolio: str = "pf-1") -> RebalanceRequestBody:
    """Return a request of the engine."""
    snapshot = {**DEMO["portfolio_snapshot"], "portfolio_id": portfolio}
    return RebalanceRequestBody.model_validate({**DEMO, "portfolio_snapshot": snapshot})


def simulate_as(number: int, portfolio: str = "pf-1") -> Callable[[], str]:
    """Return a simulate request under one key, with a correlation id of its own."""

    def move() -> str:
        request = body(portfolio)
        done = simulate(
            request,
            idempotency_key="one-key",
            correlation_id=f"corr-{number}",
            actor=FEED,
            policy=POLICY,
            clock=lambda: datetime.now(UTC),
        )
        return f"{done.rebalance_run_id} {hash_of(done.result)}"

    return move


def hash_of(answer: bytes) -> str:
    """Return a short name of an answer's bytes, the same in every process."""
    import hashlib

    return hashlib.sha256(answer).hexdigest()[:12]


def append_start(number: int, tenant: str = "new-tenant") -> Callable[[], str]:
    """Return an append of the first event of trace ``number``."""

    def move() -> str:
        draft = event(
            EventType.TRACE_STARTED,
            STARTED,
            tenant_id=tenant,
            trace_id=f"trace-{number}",
            event_id=f"evt-of-{number}",
            idempotency_key=f"key-of-{number}",
        )
        with transaction() as session:
            append(session, draft)
        return "done"

    return move
