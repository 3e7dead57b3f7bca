"""Analyses for tests: a small portfolio under a few sets of options, and operations on them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.queries.operations.lookup import StoredOperation, stored_operation
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.operations.submit import Accepted
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import BatchRequestBody
from tests.support.histories import FEED, OFF

# No test is so slow that such a lease runs out: where one has to, it says so (silence).
TERMS = LeaseTerms(lease=timedelta(hours=1))
SNAPSHOT: dict[str, Any] = {
    "portfolio_snapshot": {
        "snapshot_id": "ps-1",
        "portfolio_id": "pf_amara_tan",
        "base_currency": "SGD",
        "positions": [{"instrument_id": "EQ_1", "quantity": "100"}],
        "cash_balances": [{"currency": "SGD", "amount": "5000"}],
    },
    "market_data_snapshot": {
        "snapshot_id": "md-1",
        "prices": [
            {"instrument_id": "EQ_1", "price": "100", "currency": "SGD"},
            {"instrument_id": "EQ_2", "price": "50", "currency": "SGD"},
        ],
        "fx_rates": [],
    },
    "model_portfolio": {
        "targets": [{"instrument_id": "EQ_1", "weight": "0.5"}, {"instrument_id": "EQ_2", "weight": "0.4"}]
    },
    "shelf_entries": [
        {"instrument_id": "EQ_1", "status": "APPROVED"},
        {"instrument_id": "EQ_2", "status": "APPROVED"},
    ],
}
SCENARIOS: dict[str, Any] = {
    "baseline": {"options": {}},
    "capped": {"options": {"single_position_max_weight": "0.3"}},
    "turnover": {"options": {"max_turnover_pct": "0.1"}},
}
WRONG_OPTIONS: dict[str, Any] = {"options": {"max_turnover_pct": "2"}}


def batch_json(scenarios: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON of an analyze request."""
    return {**SNAPSHOT, "scenarios": SCENARIOS if scenarios is None else scenarios}


def simulate_json(**options: Any) -> dict[str, Any]:
    """Return the JSON of a simulate request."""
    return {**SNAPSHOT, "options": options}


def batch(scenarios: dict[str, Any] | None = None) -> BatchRequestBody:
    """Return a parsed analyze request."""
    return BatchRequestBody.model_validate(batch_json(scenarios))


def ticking(start: datetime) -> Callable[[], datetime]:
    """Return a clock that moves on by a millisecond each time it is read."""
    ticks = itertools.count()
    return lambda: start + timedelta(milliseconds=next(ticks))


def accept(
    scenarios: dict[str, Any] | None = None,
    *,
    correlation_id: str = "corr-desk",
    policy: DeploymentPolicy = OFF,
    terms: LeaseTerms = TERMS,
    inline: bool = False,
    clock: Callable[[], datetime] = utcnow,
    callback_url: str | None = None,
) -> Accepted:
    """Submit an analysis as the drift engine does."""
    return submit_analysis(
        batch(scenarios),
        correlation_id=correlation_id,
        actor=FEED,
        policy=policy,
        terms=terms,
        inline=inline,
        clock=clock,
        callback_url=callback_url,
    )


def told(operation_id: str) -> StoredOperation:
    """Return an operation as the store has it now."""
    db.session.rollback()
    return stored_operation(db.session(), "default", operation_id)


def silence(operation_id: str) -> None:
    """Let the lease of an operation run out, as when its worker fell silent long ago."""
    with transaction() as session:
        session.execute(
            text("UPDATE dpm_operations SET due_at = created_at WHERE operation_id = :id"), {"id": operation_id}
        )
