"""What is told to whom, as plain values with the key that keeps each from being told twice (workflow.md §4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lotus_web.domain.access import Actor
from lotus_web.domain.items.state import ItemState


class NoticeCategory(StrEnum):
    """Why someone is told something."""

    ASSIGNMENT = "assignment"
    APPROVAL = "approval"
    DEADLINE_RISK = "deadline_risk"
    ESCALATION = "escalation"
    FAILURE = "failure"


class Channel(StrEnum):
    """How a notice reaches people (services/notifications/delivery.py)."""

    CONSOLE = "operator_console"


class Delivery(StrEnum):
    """Whether its channel has a notice; the console has what is stored."""

    PENDING = "pending"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one account or one role."""

    tenant_id: str
    workflow_id: str
    trace_id: str
    category: NoticeCategory
    message: str
    dedupe_key: str
    created_at: datetime
    recipient_account_id: str | None = None
    recipient_role: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def notification_id(self) -> str:
        """An id that follows from the dedupe key, so a rebuild names the same notification."""
        return "ntf_" + hashlib.sha256(f"{self.tenant_id}\n{self.dedupe_key}".encode()).hexdigest()[:16]


def _notice(
    item: ItemState, category: NoticeCategory, message: str, key: str, now: datetime, **to: str | None
) -> Notice:
    return Notice(
        tenant_id=item.tenant_id,
        workflow_id=item.workflow_id,
        trace_id=item.trace_id,
        category=category,
        message=message,
        dedupe_key=f"{category.value}:{item.workflow_id}:{key}",
        created_at=now,
        **to,  # type: ignore[arg-type]
    )


def _holder(item: ItemState) -> dict[str, str | None]:
    if item.assigned_account_id:
        return {"recipient_account_id": item.assigned_account_id}
    return {"recipient_role": item.assigned_role}


def assignment(item: ItemState, now: datetime) -> tuple[Notice, ...]:
    """Tell whoever the item is assigned to now; nobody when it is nobody's."""
    target = item.assigned_account_id or item.assigned_role
    if target is None:
        return ()
    message = f"{item.title} is assigned to {target}."
    return (_notice(item, NoticeCategory.ASSIGNMENT, message, target, now, **_holder(item)),)


def approval(item: ItemState, *, event_id: str, actor_id: str, now: datetime) -> tuple[Notice, ...]:
    """Tell who asked for the review how it ended."""
    message = f"{item.title} was {item.status.value} by {actor_id}."
    to = {"recipient_account_id": item.requested_by_id}
    return (_notice(item, NoticeCategory.APPROVAL, message, event_id, now, **to),)


def deadline_risk(item: ItemState, now: datetime) -> tuple[Notice, ...]:
    """Warn whoever holds the item that this due time is near."""
    due = item.sla_due_at.isoformat(timespec="microseconds")
    message = f"{item.title} is due at {item.sla_due_at:%Y-%m-%d %H:%M} UTC."
    return (_notice(item, NoticeCategory.DEADLINE_RISK, message, due, now, **_holder(item)),)


def escalation(item: ItemState, now: datetime, *, passed_over: str | None = None) -> tuple[Notice, ...]:
    """Tell the escalation target that the item is theirs now, and who was to have it but cannot review items here."""
    count = str(item.metadata.get("escalation_count", 0))
    instead = f" {passed_over}, whom the settings name, cannot review items here." if passed_over else ""
    message = f"{item.title} was escalated.{instead}"
    return (_notice(item, NoticeCategory.ESCALATION, message, count, now, **_holder(item)),)


def failure(item: ItemState, *, action: str, request_id: str, reason: str, now: datetime) -> tuple[Notice, ...]:
    """Tell whoever holds the item that an action on it could not be recorded."""
    message = f"{item.title}: {action} could not be recorded ({reason})."
    return (_notice(item, NoticeCategory.FAILURE, message, f"{action}:{request_id}", now, **_holder(item)),)


def is_recipient(actor: Actor, account_id: str | None, role: str | None) -> bool:
    """Return whether a notice to this account, or without one to this role, is for the actor."""
    if account_id is not None:
        return account_id == actor.decider_id
    return role in {own.value for own in actor.roles}
