"""Claims expire: an item whose holder does nothing for the length of the lease is free again (workflow.md §2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.values import ItemStatus
from lotus_web.domain.surface import Surface
from lotus_web.models import TenantRuntime, WorkflowItem
from lotus_web.models.items import CLAIMED
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import ItemKey, lock_item
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action

RELEASER = "workflow-claims"
EXPIRED = "CLAIM_LAPSED"


def releaser(tenant_id: str) -> Actor:
    """Return the actor that ends expired claims."""
    may = frozenset({Permission.WORKFLOW_REVIEW, Permission.WORKFLOW_ASSIGN})
    return Actor(ActorType.SYSTEM, RELEASER, tenant_id, may)


def expired_claims(session: Session, *, now: datetime, lease: timedelta, limit: int) -> list[ItemKey]:
    """Return open items whose holder did nothing for the length of the lease, the longest silent first."""
    found: list[ItemKey] = []
    for tenant_id in session.scalars(select(TenantRuntime.tenant_id).order_by(TenantRuntime.tenant_id)):
        rows = session.execute(
            select(WorkflowItem.tenant_id, WorkflowItem.workflow_id)
            .where(
                CLAIMED,
                WorkflowItem.tenant_id == tenant_id,
                WorkflowItem.claimed_at < now - lease,
                or_(WorkflowItem.sweep_not_before.is_(None), WorkflowItem.sweep_not_before <= now),
            )
            .order_by(WorkflowItem.claimed_at)
            .limit(limit - len(found))
        )
        found += [(row.tenant_id, row.workflow_id) for row in rows]
        if len(found) >= limit:
            break
    return found


def end_claim(session: Session, key: ItemKey, *, now: datetime, lease: timedelta, policy: DeploymentPolicy) -> bool:
    """Give one item back to its role; False if its holder acted, or released it, meanwhile.

    An item in review is released. An escalated one stays escalated, so it is given back to the role instead.
    """
    tenant_id, workflow_id = key
    lock_tenant(session, tenant_id)
    locked = lock_item(session, tenant_id, workflow_id)
    if locked is None:
        return False
    row = locked.row
    if row.resolved_at is not None or row.claimed_at is None or row.claimed_at >= now - lease:
        return False
    minutes = int(lease.total_seconds() // 60)
    asked = ReviewAction(
        Action.RELEASE if row.status == ItemStatus.IN_REVIEW else Action.REASSIGN,
        text=f"{row.assigned_account_id} did nothing with it for {minutes} {'minute' if minutes == 1 else 'minutes'}.",
        reason_code=EXPIRED,
        assigned_role=row.assigned_role or policy.defaults.assigned_role,
    )
    context = CommandContext(releaser(tenant_id), Surface.JOBS, row.trace_id, now, policy)
    apply_action(session, workflow_id, asked, context, locked=locked)
    return True
