"""Claim the most urgent free item; two claimants never get the same one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import REVIEWING_ROLES, Actor, Permission, check_permission
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import Parties
from lotus_web.domain.items.next_item import FREE, Claimant
from lotus_web.domain.items.state import ItemState
from lotus_web.models import PersonRole, WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import lock_item
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.services.items.assignment import check_assignee
from lotus_web.services.items.subjects import HANDLERS

# The subject of a refused claim in the audit log, where the item is not known yet.
NEXT = "next"
PAGE = 50


def claim_next_item(session: Session, context: CommandContext, *, skip: str | None = None) -> Reviewed | None:
    """Claim the most urgent free item for the actor; None when there is none.

    Raises Forbidden, and InvalidInput for a claim on behalf of someone who cannot be assigned items here.

    ``skip`` is an item that they have seen and passed over. Callers wait for the tenant's lock, so each sees what
    the one before claimed.
    """
    actor = context.actor
    check_permission(actor, Permission.WORKFLOW_REVIEW)
    if actor.on_behalf_of is not None:
        check_assignee(session, actor.tenant_id, account_id=actor.on_behalf_of, role=None, field="actor_id")
    lock_tenant(session, actor.tenant_id)
    four_eyes = context.policy.four_eyes
    claimant = Claimant(actor, _roles(session, actor), four_eyes.binds(actor), four_eyes.binds_makers(actor))
    for workflow_id in _by_urgency(session, claimant, context.now, skip):
        locked = lock_item(session, actor.tenant_id, workflow_id)
        if locked is None or not claimant.may_take(item_state(locked.row)):
            raise AssertionError("the query and the rule for free items disagree")
        if _may_approve(session, item_state(locked.row), context):
            return apply_action(session, workflow_id, ReviewAction(Action.CLAIM), context, locked=locked)
    return None


def _may_approve(session: Session, item: ItemState, context: CommandContext) -> bool:
    """Return whether nobody behind the claimant is behind the item's subject, which its row does not tell."""
    parties = Parties.of(item, HANDLERS[item.subject].evidence(session, item))
    return context.policy.four_eyes.refusal(Action.APPROVE, context.actor, parties) is None


def _roles(session: Session, actor: Actor) -> frozenset[str] | None:
    """Return the roles that limit what the claimant may be given: a person's own, also when an account acts for them; None for
    an account."""
    if actor.roles:
        return frozenset(role.value for role in actor.roles)
    query = select(PersonRole.role).where(PersonRole.tenant_id == actor.tenant_id, PersonRole.name == actor.decider_id)
    return frozenset(session.scalars(query)) or None


def _by_urgency(session: Session, claimant: Claimant, now: datetime, skip: str | None) -> Iterator[str]:
    """Yield free items in the inbox's order: what is overdue, then the rest, each by priority and age."""
    urgency = (WorkflowItem.priority_rank, WorkflowItem.requested_at, WorkflowItem.workflow_id)
    free = select(WorkflowItem.workflow_id).where(*_free_for(claimant)).order_by(*urgency)
    if skip is not None:
        free = free.where(WorkflowItem.workflow_id != skip)
    yield from _in_pages(session, free.where(WorkflowItem.sla_due_at < now))
    yield from _in_pages(session, free)


def _in_pages(session: Session, query: Select[str]) -> Iterator[str]:
    """Yield what a query finds; nearly always the first is taken, so that it is read alone."""
    seen, most = 0, 1
    while True:
        found = session.scalars(query.limit(most)).all()
        yield from found[seen:]
        if len(found) < most:
            return
        seen, most = most, most * PAGE


def _free_for(claimant: Claimant) -> list[ColumnElement[bool]]:
    actor, ours = claimant.actor, sorted(claimant.actor.principals)
    conditions = [
        WorkflowItem.tenant_id == actor.tenant_id,
        WorkflowItem.resolved_at.is_(None),
        WorkflowItem.status.in_(sorted(FREE)),
        WorkflowItem.claimed_at.is_(None),
    ]
    if claimant.four_eyes:
        conditions.append(or_(WorkflowItem.made_by.is_not(None), WorkflowItem.requested_by_id.not_in(ours)))
    if claimant.maker_waits:
        conditions.append(or_(WorkflowItem.made_by.is_(None), WorkflowItem.made_by.not_in(ours)))
    unowned: ColumnElement[bool] = WorkflowItem.assigned_account_id.is_(None)
    if claimant.roles is not None:
        theirs = or_(
            WorkflowItem.assigned_role.is_(None),
            WorkflowItem.assigned_role.not_in(REVIEWING_ROLES),
            WorkflowItem.assigned_role.in_(sorted(claimant.roles)),
        )
        unowned = and_(unowned, theirs)
    conditions.append(or_(WorkflowItem.assigned_account_id == actor.decider_id, unowned))
    return conditions
