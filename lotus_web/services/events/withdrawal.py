"""Withdrawing a review that nobody needs any more, in the transaction of what made it so (workflow.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.events.projection import WITHDRAWN_FOR, fold_action
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import ActionRecord, Origin
from lotus_web.domain.items.transitions import next_status
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import item_state, lock_items, store_effects
from lotus_web.services.events.log import lock_tenant
from lotus_web.store.new_ids import new_id


def withdraw_review(
    session: Session, workflow_id: str, context: CommandContext, *, text: str, why: Mapping[str, Any]
) -> bool:
    """Close an open item without a decision; return whether there was one to close.

    ``text`` says in a sentence what made the review needless, ``why`` the same for programs; both are kept with the item.
    Who may do what led to it was checked there. The caller's transaction commits all of it, under the tenant's lock.
    """
    tenant_id = context.actor.tenant_id
    runtime = lock_tenant(session, tenant_id)
    rows = lock_items(session, tenant_id, [workflow_id])
    if workflow_id not in rows or rows[workflow_id].resolved_at is not None:
        return False
    item = item_state(rows[workflow_id])
    record = ActionRecord(
        action_id=new_id("act_", 16),
        tenant_id=tenant_id,
        workflow_id=workflow_id,
        trace_id=item.trace_id,
        action_type=Action.WITHDRAW,
        origin=Origin.MANUAL,
        actor_type=context.actor.actor_type.value,
        actor_id=context.actor.actor_id,
        on_behalf_of=context.actor.on_behalf_of,
        surface=context.surface.value,
        text=text,
        from_status=item.status,
        to_status=next_status(item.facts, Action.WITHDRAW),
        after_log_seq=runtime.last_log_seq,
        occurred_at=context.now,
        details={WITHDRAWN_FOR: dict(why)},
    )
    effect = fold_action(item, record)
    store_effects(session, [effect.by(record)], rows)
    return True
