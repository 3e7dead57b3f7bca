"""Giving several items to someone else at once: each is its own transaction, and each has its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lotus_web.config import current
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.http.request_ids import current_ids
from lotus_web.services.audit.attempts import Attempt, attempt
from lotus_web.services.items.actions import ReviewAction, apply_action
from lotus_web.web.guard.access import current_actor


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
    actor, request_id, now = current_actor(), current_ids().correlation_id, current.utcnow()
    try:
        with attempt(Attempt(actor, workflow_id, asked.action.value, "form", request_id, now)) as session:
            done = apply_action(
                session,
                workflow_id,
                asked,
                actor=actor,
                surface="form",
                correlation_id=request_id,
                now=now,
                policy=current.policy(),
            )
    except (Conflict, NotFound) as refused:
        return Moved(workflow_id, None, refused.message)
    return Moved(workflow_id, done.item.title)
