"""Starting a review of a trace: one event of the log, whose projection opens the item (workflow.md §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventDraft, EventSource, EventType
from lotus_web.domain.free_text import clean_line
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import check_free_text
from lotus_web.domain.items.values import Priority
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.studio import Draft
from lotus_web.models.to_domain import item_state
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import find_item
from lotus_web.services.events.log import append_event, lock_tenant
from lotus_web.services.items.assignment import check_assignee
from lotus_web.store.new_ids import new_id
from lotus_web.store.types import as_stored

SOURCE = EventSource(system="lotus-web", producer_id=OWN_PRODUCER, subsystem="studio")
# The action of a refused or failed start in the audit log; its subject is the trace.
START_REVIEW = "start_review"
TITLE_MAX = 250


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What someone wants reviewed and how; None takes what the dry run recommends."""

    reason: str | None = None
    title: str | None = None
    priority: Priority | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The item of a review and whether this call made it."""

    item: ItemState
    created: bool


def start_review(
    session: Session,
    draft: Draft,
    asked: ReviewRequest,
    context: CommandContext,
) -> Started:
    """Start the review that a dry run drafted, or return the one that was started before with its template.

    Raises Forbidden, InvalidInput for an assignee or a text that cannot be.
    """
    actor = context.actor
    check_permission(actor, Permission.WORKFLOW_REVIEW)
    lock_tenant(session, actor.tenant_id)
    existing = find_item(session, actor.tenant_id, draft.workflow_id)
    if existing is not None:
        return Started(item_state(existing), created=False)
    check_assignee(session, actor.tenant_id, account_id=asked.assigned_account_id, role=asked.assigned_role)
    event = EventDraft(
        event_id=new_id("evt_"),
        tenant_id=actor.tenant_id,
        trace_id=draft.trace_id,
        event_type=EventType.WORKFLOW_REVIEW_REQUESTED,
        occurred_at=context.now,
        source=SOURCE,
        actor={"actor_type": actor.actor_type.value, "actor_id": actor.decider_id},
        # Trace ids may be as long as keys may be, so the key is made of the event and not of the item.
        idempotency_key=new_id("review_"),
        payload=_payload(draft, asked) | {"acted_by": actor.acted_by},
        correlation_id=context.correlation_id,
    )
    effect = append_event(session, event, defaults=context.policy.defaults, now=context.now).effect
    if effect is None:
        raise AssertionError("a review was requested and no item opened")
    return Started(replace(effect.item, metadata=as_stored(effect.item.metadata)), created=True)


def _payload(draft: Draft, asked: ReviewRequest) -> dict[str, Any]:
    reason = check_free_text(asked.reason or "") or draft.reason
    title = clean_line(asked.title or "", what="The title", loc=("body", "title")) or draft.title
    if len(title) > TITLE_MAX:
        raise InvalidInput(
            "invalid_argument", Sentence("Use at most {most} characters.", most=TITLE_MAX), loc=("body", "title")
        )
    given = asked.assigned_account_id or asked.assigned_role
    assignee = {"account_id": asked.assigned_account_id, "role": asked.assigned_role}
    return {
        "template_id": draft.template.template_id,
        "subject": draft.subject,
        "assignee": assignee if given else {"account_id": None, "role": draft.template.role.value},
        "priority": (draft.priority if asked.priority is None else asked.priority).word,
        "sla_hours": draft.sla_hours,
        "reason": reason,
        "title": title,
        "workflow_kind": draft.template.workflow_kind.value,
    }
