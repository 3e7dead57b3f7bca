"""Sending deliveries again that were given up, with a line in the audit log for each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, check_permission, operator
from lotus_web.domain.deliveries.states import DeliveryStatus
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.surface import Surface
from lotus_web.models import Delivery
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.store.clock import store_now

RESEND = "resend_delivery"
NOT_DEAD, NOT_FOUND = "DELIVERY_NOT_DEAD", "DELIVERY_NOT_FOUND"


def resend_here(session: Session, delivery_id: str, *, actor: Actor, now: datetime) -> None:
    """Make one dead delivery of the actor's tenant due now, with all attempts before it.

    Raises Forbidden, NotFound, or Conflict ``DELIVERY_NOT_DEAD`` for one that was not given up.
    """
    check_permission(actor, Permission.OPERATIONS_EXECUTE)
    own = (Delivery.delivery_id == delivery_id, Delivery.tenant_id == actor.tenant_id)
    found = _make_due(session, *own)
    if not found and session.scalar(select(Delivery.delivery_id).where(*own)) is None:
        raise NotFound(NOT_FOUND, "Delivery not found. It may have arrived and been deleted since.")
    if not found:
        raise Conflict(NOT_DEAD, "The delivery is no longer one that was given up: it was sent again or has arrived.")
    _record(session, delivery_id, actor=actor, surface=Surface.FORM, now=now)


def resend_everywhere(session: Session, delivery_id: str | None = None, *, now: datetime) -> int:
    """Make all dead deliveries, or the one with this id, due now, as an operator may; returns how many."""
    found = _make_due(session, *([] if delivery_id is None else [Delivery.delivery_id == delivery_id]))
    for tenant_id, one in found:
        _record(session, one, actor=operator(tenant_id), surface=Surface.CLI, now=now)
    return len(found)


def _make_due(session: Session, *which: ColumnElement[bool]) -> list[tuple[str, str]]:
    again = {"status": DeliveryStatus.PENDING.value, "attempts": 0, "due_at": store_now(session), "finished_at": None}
    dead = update(Delivery).where(Delivery.status == DeliveryStatus.DEAD.value, *which).values(again)
    found = session.execute(dead.returning(Delivery.tenant_id, Delivery.delivery_id))
    return [(row.tenant_id, row.delivery_id) for row in found]


def _record(session: Session, delivery_id: str, *, actor: Actor, surface: Surface, now: datetime) -> None:
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action=RESEND,
        subject=delivery_id,
        code="DUE_AGAIN",
        message="A delivery that was given up is sent again.",
        surface=surface,
        now=now,
    )
