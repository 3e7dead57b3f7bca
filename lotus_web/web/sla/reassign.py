"""Giving several items to someone else at once: each is its own transaction, and each has its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import form_context


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one item; ``refusal`` is the sentence where it stayed."""

    workflow_id: str
    title: str | None
    refusal: str | None = None


def move_items(chosen: Mapping[str, int], asked: ReviewAction) -> tuple[Moved, ...]:
    """Apply a reassignment to each item in the version that was seen; raises InvalidInput for a target that cannot be."""
    return tuple(_move(workflow_id, replace(asked, version=version)) for workflow_id, version in chosen.items())


def _move(workflow_id: str, asked: ReviewAction) -> Moved:
    context = form_context()
    try:
        with audited_transaction(AuditedAction(context, asked.action.value, workflow_id)) as session:
            done = apply_action(session, workflow_id, asked, context)
    except (Conflict, NotFound) as refused:
        return Moved(workflow_id, None, page_message(refused))
    return Moved(workflow_id, done.item.title)
