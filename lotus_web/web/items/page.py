"""The page of an item, after a GET and as the answer to a form."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import SUBJECTS
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.queries.decisions.outcomes import ItemDecision, latest_decisions
from lotus_web.queries.inbox.listing import next_in_queue
from lotus_web.queries.items.holders import is_disabled
from lotus_web.queries.items.lookup import last_action
from lotus_web.queries.items.page import item_detail
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.store.session import db
from lotus_web.web.format.sentences import page_message, page_text
from lotus_web.web.guard.access import current_actor
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.items.choices import decision_panel, waits_for_others
from lotus_web.web.items.form import FieldError, Typed
from lotus_web.web.items.presented import seal_of
from lotus_web.web.items.queue import act_url, list_url, queue_address, queue_here
from lotus_web.web.items.signing import signing_context
from lotus_web.web.items.subjects import subject_context
from lotus_web.web.shell.htmx import is_htmx, page_or_fragment


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a form: done, or why not."""

    done: str | None = None
    done_action: Action | None = None
    error: FieldError | None = None
    conflict: Conflict | None = None
    forbidden: str | None = None


@dataclass(frozen=True, slots=True)
class Collision:
    """A conflict in words; ``repeated`` where the same person had already taken this action, so nothing is lost."""

    repeated: bool
    title: str


def item_page(
    workflow_id: str, *, status: int = 200, typed: Typed | None = None, outcome: Outcome | None = None
) -> Response:
    """Render an item with its forms; raises NotFound. After a GET the forms hold what was typed before a session ended."""
    actor, now, outcome = current_actor(), current.utcnow(), outcome or Outcome()
    typed = typed or _draft_of(workflow_id)
    session, codes = db.session(), current.settings().reason_codes
    detail = item_detail(session, actor.tenant_id, workflow_id, codes=codes)
    queue = queue_here(session, detail.item, actor, queue_address())
    back = list_url()
    next_item = queue.next if queue else None
    if queue is None and back is None:
        next_item = next_in_queue(session, actor=actor, now=now, besides=workflow_id)
    choices = decision_panel(session, detail, actor, current.policy().decision_rules)
    precedents = item_precedents(session, detail.item, now=now, codes=codes)
    return page_or_fragment(
        "items/item.html",
        "items/_item.html",
        status,
        detail=detail,
        item=detail.item,
        subject=SUBJECTS[detail.item.subject],
        choices=choices,
        precedents=precedents,
        evidence_seal=seal_of(detail, precedents, actor, now) if choices.decides else "",
        typed=typed,
        outcome=outcome,
        collision=collision(session, outcome.conflict, detail.item, typed, actor),
        queue=queue,
        next_item=next_item,
        next_url=queue.next_url if queue else next_item and url_for("items.show", workflow_id=next_item.workflow_id),
        list_url=back,
        act_url=act_url(detail.item),
        **signing_context(actor),
        alone=is_htmx(),
        opened=request.args.get("do", ""),
        holder_disabled=holder_disabled(session, detail.item),
        for_others=waits_for_others(detail.item, actor),
        decision=decision_in_force(session, detail.item),
        me=actor.decider_id,
        now=now,
        soon_minutes=current.settings().deadline_risk_warning_minutes,
        **subject_context(session, detail),
    )


def _draft_of(workflow_id: str) -> Typed:
    """Return what was typed before a session ended; nothing in the answer to a form."""
    looks = request.method == "GET"
    return Typed(draft_for(url_for("items.act", workflow_id=workflow_id)).to_dict() if looks else {})


def holder_disabled(session: Session, item: ItemState) -> bool:
    """Return whether the holder of an open item was disabled; no query where nobody holds it."""
    return bool(item.is_open and item.assigned_account_id) and is_disabled(session, item.assigned_account_id or "")


def decision_in_force(session: Session, item: ItemState) -> ItemDecision | None:
    """Return the decision in force, None for an open item; comments do not count."""
    return None if item.is_open else latest_decisions(session, item.tenant_id, [item.workflow_id]).get(item.workflow_id)


def collision(
    session: Session, conflict: Conflict | None, item: ItemState, typed: Typed, actor: Actor
) -> Collision | None:
    """Return a conflict in words, None where there was none."""
    if conflict is None:
        return None
    if asked_already(session, item, typed, actor):
        return Collision(True, "This was already recorded.")
    if conflict.code != "version_conflict" or item.last_action_type is None:
        return Collision(False, page_message(conflict))
    who = "you" if item.last_actor_id == actor.decider_id else Account(item.last_actor_id or "")
    spec = ACTIONS[Action(item.last_action_type)]
    done = spec.describe(account=item.assigned_account_id, role=item.assigned_role)
    return Collision(False, page_text(Sentence("While you were looking, {who} {done}.", who=who, done=done)))


def asked_already(session: Session, item: ItemState, typed: Typed, actor: Actor) -> bool:
    """Return whether the last action on the item is the submitted one, by the same person: the form was sent twice."""
    asked = typed.action
    if asked is None or (item.last_actor_id, item.last_action_type) != (actor.decider_id, asked.value):
        return False
    last = last_action(session, item)
    return last is not None and typed.says(last)
