"""Runs of the real engine for tests of the pages: named by what happened to the portfolio, recorded through the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.portfolios import demo_variant
from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.services.runs.simulate import simulate
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import RebalanceRequestBody

GATED = DeploymentPolicy(workflow_enabled=True)
UNGATED = DeploymentPolicy(workflow_enabled=False)
# The engine's verdict on each is pinned by the demo's own tests.
CASH_TOO_HIGH, CASH_TOO_LOW, CAPPED = "restricted_target", "legacy_banned", "cap_lowered"
CLEAN, NO_PRICE, TAXED, TURNOVER, LATE_SETTLEMENT = (
    "drift_only",
    "price_missing",
    "tax_lots",
    "turnover_capped",
    "late_settlement",
)


def engine_feed(tenant: str = "default") -> Actor:
    """Return the account that submits runs."""
    return Actor(ActorType.SERVICE_ACCOUNT, "engine-feed", tenant, frozenset(Permission))


def request_of(circumstance: str) -> dict[str, Any]:
    """Return the first demo request in which this happened."""
    return dict(next(found.request for found in _variants() if found.circumstance == circumstance))


def _variants() -> Any:
    return (demo_variant(seed=1, variant=number) for number in range(180))


def record(
    app: Flask,
    circumstance: str = CASH_TOO_HIGH,
    *,
    key: str = "key-1",
    correlation_id: str | None = None,
    tenant: str = "default",
    policy: DeploymentPolicy = GATED,
    age: timedelta = timedelta(minutes=5),
    change: Callable[[dict[str, Any]], None] = lambda body: None,
) -> str:
    """Record a run that is ``age`` old and return its id."""
    body = request_of(circumstance)
    change(body)

    def clock() -> datetime:
        return utcnow() - age

    with app.app_context():
        done = simulate(
            RebalanceRequestBody.model_validate(body),
            idempotency_key=key,
            correlation_id=correlation_id or f"corr-{key}",
            actor=engine_feed(tenant),
            policy=policy,
            clock=clock,
        )
        db.session.remove()
    return done.rebalance_run_id


def item_of(run_id: str, key: str = "key-1") -> str:
    """Return the id of the item of a run recorded under ``key``."""
    return f"corr-{key}:exception:{run_id}"


def item(app: Flask, circumstance: str = CASH_TOO_HIGH, *, key: str = "key-1", **how: Any) -> str:
    """Record a run that needs a review and return the id of its item."""
    correlation_id = how.get("correlation_id") or f"corr-{key}"
    return f"{correlation_id}:exception:{record(app, circumstance, key=key, **how)}"


def act(app: Flask, workflow_id: str, action: Action, *, by: Actor, **asked: Any) -> None:
    """Have someone else act on an item."""
    with app.app_context(), transaction() as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, **asked),
            CommandContext(by, Surface.API, "corr-elsewhere", utcnow(), GATED),
        )
