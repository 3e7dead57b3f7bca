"""Deadlines: warn before, escalate after, once for each, whether or not anyone looks (workflow.md §3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import TextClause

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain import notifications
from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.models import TenantRuntime, WorkflowItem
from lotus_web.models.items import TO_ESCALATE, TO_WARN
from lotus_web.models.to_domain import item_state
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import ItemKey, find_item, lock_item, store_notices
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action

SWEEPER = "workflow-sla"
PUSH_BACK = timedelta(minutes=15)


def sweeper(tenant_id: str) -> Actor:
    """Return the actor that escalates what is late."""
    return Actor(ActorType.SYSTEM, SWEEPER, tenant_id, frozenset({Permission.WORKFLOW_ESCALATE}))


def to_warn(session: Session, *, now: datetime, window: timedelta, limit: int) -> list[ItemKey]:
    """Return open items that fall due within ``window`` and whose holder was not told, soonest first."""
    return _due(session, TO_WARN, before=now + window, now=now, limit=limit)


def to_escalate(session: Session, *, now: datetime, limit: int) -> list[ItemKey]:
    """Return open items past their due time that were not escalated for it and are not escalated now, latest first."""
    return _due(session, TO_ESCALATE, before=now, now=now, limit=limit)


def _due(session: Session, which: TextClause, *, before: datetime, now: datetime, limit: int) -> list[ItemKey]:
    found: list[ItemKey] = []
    for tenant_id in session.scalars(select(TenantRuntime.tenant_id).order_by(TenantRuntime.tenant_id)):
        rows = session.execute(
            select(WorkflowItem.tenant_id, WorkflowItem.workflow_id)
            .where(
                which,
                WorkflowItem.tenant_id == tenant_id,
                WorkflowItem.sla_due_at < before,
                or_(WorkflowItem.sweep_not_before.is_(None), WorkflowItem.sweep_not_before <= now),
            )
            .order_by(WorkflowItem.sla_due_at, WorkflowItem.workflow_id)
            .limit(limit - len(found))
        )
        found += [(row.tenant_id, row.workflow_id) for row in rows]
        if len(found) >= limit:
            break
    return found


def warn(session: Session, key: ItemKey, *, now: datetime, window: timedelta) -> bool:
    """Tell the holder of one item that it falls due soon; False if it was warned of before or is no longer due."""
    row = find_item(session, *key, lock=True)
    if row is None or row.resolved_at is not None or row.risk_told or row.sla_due_at >= now + window:
        return False
    row.risk_told = True
    if row.sla_due_at <= now:
        return False
    return store_notices(session, notifications.deadline_risk(item_state(row), now)) > 0


def escalate(session: Session, key: ItemKey, *, now: datetime, policy: DeploymentPolicy) -> bool:
    """Escalate one late item as any escalation; False if it was decided, escalated or given time meanwhile.

    Once for each due time: whoever has it then and asks for changes, or gives it back, keeps it.
    """
    tenant_id, workflow_id = key
    lock_tenant(
        session, tenant_id
    )  # before the item, as every action does: the other way round, two could wait in a ring
    locked = lock_item(session, tenant_id, workflow_id)
    if locked is None:
        return False
    row = locked.row
    if row.resolved_at is not None or row.breach_told or row.sla_due_at >= now:
        return False
    row.breach_told = True  # before the action, which writes the row once; an escalation leaves the due time alone
    late = f"Not decided by {row.sla_due_at:%Y-%m-%d %H:%M} UTC."
    try:
        apply_action(
            session,
            workflow_id,
            ReviewAction(Action.ESCALATE, text=late, reason_code="SLA_BREACHED"),
            CommandContext(sweeper(tenant_id), Surface.SLA, row.trace_id, now, policy),
            locked=locked,
        )
    except Conflict:
        row.breach_told = False
        return False
    return True


def push_back(session: Session, key: ItemKey, *, now: datetime) -> None:
    """Leave a row that failed alone for a while, so that it does not hold up the rest."""
    session.execute(
        update(WorkflowItem)
        .where(WorkflowItem.tenant_id == key[0], WorkflowItem.workflow_id == key[1])
        .values(sweep_not_before=now + PUSH_BACK)
    )
