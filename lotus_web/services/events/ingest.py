"""Taking in events from any decision system: checked, appended once, projected (workflow.md §1)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventDraft, EventType, Poster, check_not_ahead
from lotus_web.domain.events.payloads import check_payload, check_shown
from lotus_web.domain.events.projection import approval_action
from lotus_web.domain.free_text import turned_text
from lotus_web.domain.identifiers import is_storable
from lotus_web.domain.items.signing import must_be_signed
from lotus_web.domain.items.signing import required as signature_required
from lotus_web.services.events.log import Appended, append_event


def ingest_event(
    session: Session, draft: EventDraft, *, actor: Actor, now: datetime, policy: DeploymentPolicy
) -> Appended:
    """Append an event of another system with the account that sent it, or return the stored one it repeats.

    Raises Forbidden, InvalidInput ``invalid_argument`` (another tenant's, the reserved producer id, a time ahead of ours, a text
    that no store takes or that turns the text around it, what the log refuses), Conflict ``idempotency_conflict``, ``trace_seq_conflict`` or
    ``SIGNATURE_REQUIRED`` for a decision that its person must sign here.
    """
    check_permission(actor, Permission.EVENTS_WRITE)
    if draft.tenant_id != actor.tenant_id:
        raise _refuse("tenant_id", f"The event is of another tenant than the request, {actor.tenant_id}.")
    if draft.source.producer_id == OWN_PRODUCER:
        raise _refuse("producer_id", f"The producer id {OWN_PRODUCER} is reserved: its events open and close the gate.")
    for name, texts in (("subsystem", (draft.source.subsystem or "",)), ("tags", draft.tags)):
        if not all(map(is_storable, texts)):
            raise _refuse(name, f"{name} contains characters that cannot be stored.")
    _check_shown(draft)
    if draft.event_type == EventType.APPROVAL_RECORDED:
        _check_unsigned(draft, policy)
    check_not_ahead(draft, now)
    poster = Poster(actor.actor_id, actor.token_id)
    return append_event(session, draft, defaults=policy.defaults, now=now, poster=poster)


def _check_unsigned(draft: EventDraft, policy: DeploymentPolicy) -> None:
    """Refuse what another system says was decided where its person must sign: no signature of it can be checked here."""
    check_payload(EventType.APPROVAL_RECORDED, draft.payload)
    if must_be_signed(policy.sign_decisions, approval_action(draft.payload)):
        raise signature_required()


def _check_shown(draft: EventDraft) -> None:
    """Refuse text that would change the direction of its surroundings on a page; Lotus Web's own events hold checked text."""
    names = {
        "trace_id": draft.trace_id,
        "system": draft.source.system,
        "subsystem": draft.source.subsystem or "",
        "actor_type": draft.actor.get("actor_type", ""),
        "actor_id": draft.actor.get("actor_id", ""),
    }
    for name, text in (*names.items(), *(("tags", tag) for tag in draft.tags)):
        turned = turned_text(text, what=name)
        if turned is not None:
            raise _refuse(name, turned)
    check_shown(EventType(draft.event_type), draft.payload)


def _refuse(name: str, message: str) -> InvalidInput:
    return InvalidInput("invalid_argument", message, loc=("body", name))
