"""The saved views of one person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.models import SavedView


@dataclass(frozen=True, slots=True)
class SavedViewRow:
    """A view; ``query`` is the filter as the inbox writes it."""

    view_id: str
    name: str
    query: str


def saved_views(session: Session, actor: Actor) -> tuple[SavedViewRow, ...]:
    """Return the actor's own views in their tenant, the oldest first; one query."""
    query = (
        select(SavedView.view_id, SavedView.name, SavedView.query)
        .where(SavedView.tenant_id == actor.tenant_id, SavedView.person == actor.actor_id)
        .order_by(SavedView.created_at, SavedView.view_id)
    )
    return tuple(SavedViewRow(**row._mapping) for row in session.execute(query))
