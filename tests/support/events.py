"""Another decision system in tests: its events, and the items that they open through the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, ActorType, Permission, Role, permissions_of
from lotus_web.domain.events.envelope import EventDraft, EventSource, EventType
from lotus_web.services.events.log import append_event
from lotus_web.store.session import transaction

CREDIT = EventSource(system="credit-desk", producer_id="credit-desk")
ASKER = {"actor_type": "service_account", "actor_id": "credit-desk"}
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
POLICY = DeploymentPolicy(workflow_enabled=True)


def person(name: str, *roles: Role, tenant: str = "default") -> Actor:
    """Return someone with these roles, as the pages make an actor of who is signed in."""
    return Actor(ActorType.PERSON, name, tenant, permissions_of(roles), frozenset(roles))


def account(name: str, *permissions: Permission, tenant: str = "default") -> Actor:
    """Return a service account with these permissions."""
    return Actor(ActorType.SERVICE_ACCOUNT, name, tenant, frozenset(permissions))


def draft(
    trace_id: str,
    event_type: EventType,
    payload: dict[str, Any],
    *,
    at: datetime = NOON,
    tenant: str = "default",
    actor: dict[str, str] | None = None,
) -> EventDraft:
    """Return an event of the credit desk, its ids made of what it says."""
    name = f"{trace_id}-{event_type.value}-{payload.get('exception_id', '')}{payload.get('approval_id', '')}"
    return EventDraft(
        event_id=f"evt-{name}",
        tenant_id=tenant,
        trace_id=trace_id,
        event_type=event_type,
        occurred_at=at,
        source=CREDIT,
        actor=actor or ASKER,
        idempotency_key=name,
        payload=payload,
    )


def trace_started(portfolio_id: str = "pf-one", title: str = "Credit line of Amara Tan") -> dict[str, Any]:
    """Return the payload that opens a trace."""
    return {
        "workflow": "credit",
        "title": title,
        "primary_entity": {"entity_type": "portfolio", "entity_id": portfolio_id},
    }


def exception_requested(
    exception_id: str = "ex",
    *,
    rules: Sequence[str] = ("LIMIT",),
    policy_id: str = "credit_rules",
    priority: str = "normal",
) -> dict[str, Any]:
    """Return the payload that asks for a review."""
    return {
        "exception_id": exception_id,
        "policy": {"policy_id": policy_id, "policy_version": "1"},
        "reason": "The line exceeds its limit.",
        "priority": priority,
        "evidence": {"rule_ids": list(rules)},
    }


def open_item(
    app: Flask,
    trace_id: str,
    *,
    at: datetime = NOON,
    tenant: str = "default",
    portfolio_id: str = "pf-one",
    policy: DeploymentPolicy = POLICY,
    actor: dict[str, str] | None = None,
    **exception: Any,
) -> str:
    """Append a trace with an exception and return the id of the item that this opens."""
    return open_items(
        app, [trace_id], at=at, tenant=tenant, portfolio_id=portfolio_id, policy=policy, actor=actor, **exception
    )[0]


def open_items(
    app: Flask,
    trace_ids: Sequence[str],
    *,
    at: datetime = NOON,
    tenant: str = "default",
    portfolio_id: str = "pf-one",
    policy: DeploymentPolicy = POLICY,
    actor: dict[str, str] | None = None,
    **exception: Any,
) -> list[str]:
    """Append a trace with an exception for each id in one transaction and return the ids of the items."""
    with app.app_context(), transaction() as session:
        for trace_id in trace_ids:
            for event_type, payload in (
                (EventType.TRACE_STARTED, trace_started(portfolio_id)),
                (EventType.EXCEPTION_REQUESTED, exception_requested(**exception)),
            ):
                event = draft(trace_id, event_type, payload, at=at, tenant=tenant, actor=actor)
                append_event(session, event, defaults=policy.defaults, now=at)
    return [f"{trace_id}:exception:ex" for trace_id in trace_ids]
