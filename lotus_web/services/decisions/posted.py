"""Events of other systems that decide: taken from whoever opened the item, or from an account that may review (ADR 0025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType, Permission, check_permission
from lotus_web.domain.events.envelope import EventDraft
from lotus_web.domain.events.projection import approval_action
from lotus_web.domain.items.four_eyes import Parties
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.models.events.opening import Opening, opening_of
from lotus_web.services.accounts.people import check_may_be_named
from lotus_web.services.command import CommandContext
from lotus_web.services.events.ingest import ingest_event
from lotus_web.services.events.log import Appended
from lotus_web.services.items.actions import record_exemption
from lotus_web.services.items.assignment import check_assignee


def take_event(session: Session, draft: EventDraft, context: CommandContext) -> Appended:
    """Append an event of another system, or return the stored one that it repeats.

    Raises as ``ingest_event`` does; Forbidden where the event would decide an item that is not its account's to decide, names
    somebody who is no enabled person here, or where the same pair of eyes is on both sides; InvalidInput where it gives its
    item to somebody who may not review. One that was sent before is answered as it is stored, whoever has left since.
    """
    taken = ingest_event(session, draft, actor=context.actor, now=context.now, policy=context.policy)
    if taken.created:
        _check_assignee(session, draft)
        if taken.effect is not None and taken.effect.action is not None:
            _check_decision(session, draft.payload, taken.effect.item, context)
    return taken


def _check_decision(session: Session, payload: Mapping[str, Any], item: ItemState, context: CommandContext) -> None:
    actor, name = context.actor, str(payload["approver"]["actor_id"])
    opening = opening_of(session, item.tenant_id, item.created_from_event_id)
    if opening.posted_by != actor.actor_id:
        check_permission(actor, Permission.WORKFLOW_REVIEW)
    if name != actor.actor_id:
        check_may_be_named(session, actor, name)
    evidence = Evidence(recorded_by=opening.posted_by, principals=opening.principals)
    decider = _decider(actor, name, opening)
    if context.policy.four_eyes.check(approval_action(payload), decider, Parties.of(item, evidence)):
        record_exemption(session, approval_action(payload), item, context)


def _decider(actor: Actor, name: str, opening: Opening) -> Actor:
    """Return who decides: of the system that opened the item, the person that it names; otherwise the account as well."""
    if opening.posted_by == actor.actor_id:
        return Actor(ActorType.PERSON, name, actor.tenant_id)
    return replace(actor, on_behalf_of=None if name == actor.actor_id else name)


def _check_assignee(session: Session, draft: EventDraft) -> None:
    """Raise InvalidInput if the event gives its item to somebody who is not here or may not review."""
    assignee = draft.payload.get("assignee") or {}
    place = "payload.assignee.account_id"
    check_assignee(
        session, draft.tenant_id, account_id=assignee.get("account_id"), role=assignee.get("role"), field=place
    )
