"""Giving several items to someone else at once: each is its own transaction, and each has its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lotus_web import current
from lotus_web.db import transaction
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.request_ids import current_ids
from lotus_web.services.review import ReviewAction, apply_action
from lotus_web.web.access import current_actor


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
    try:
        with transaction() as session:
            done = apply_action(
                session,
                workflow_id,
                asked,
                actor=current_actor(),
                surface="form",
                correlation_id=current_ids().correlation_id,
                now=current.utcnow(),
                policy=current.policy(),
            )
    except (Conflict, NotFound) as refused:
        return Moved(workflow_id, None, refused.message)
    return Moved(workflow_id, done.item.title)
