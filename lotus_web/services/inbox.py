"""Saving, renaming and deleting one's own views of the inbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import NotFound
from lotus_web.domain.inbox import check_room, check_view_name
from lotus_web.models import Person, SavedView
from lotus_web.store.new_ids import new_id


def save_view(session: Session, *, name: str, query: str, actor: Actor, now: datetime) -> None:
    """Save a filter under a name; raises InvalidInput for a name that cannot be and ``TOO_MANY_VIEWS``."""
    own = _own_views(session, actor)
    check_room(len(own))
    session.add(
        SavedView(
            view_id=new_id("view_"),
            tenant_id=actor.tenant_id,
            person=actor.actor_id,
            name=check_view_name(name, {view.name for view in own.values()}),
            query=query,
            created_at=now,
        )
    )
    session.flush()


def rename_view(session: Session, view_id: str, *, name: str, actor: Actor) -> str:
    """Give one's own view another name and return the one it had; raises NotFound, InvalidInput."""
    own = _own_views(session, actor)
    view = _one_of(own, view_id)
    before, others = view.name, {one.name for one in own.values() if one is not view}
    view.name = check_view_name(name, others)
    session.flush()
    return before


def delete_view(session: Session, view_id: str, *, actor: Actor) -> str:
    """Delete one's own view and return its name; raises NotFound."""
    view = _one_of(_own_views(session, actor), view_id)
    session.delete(view)
    session.flush()
    return view.name


def _own_views(session: Session, actor: Actor) -> dict[str, SavedView]:
    """Return the actor's views here by id, under a lock of the person: what is checked of them holds until the commit."""
    session.execute(select(Person.name).where(Person.name == actor.actor_id).with_for_update(key_share=True))
    query = select(SavedView).where(SavedView.tenant_id == actor.tenant_id, SavedView.person == actor.actor_id)
    return {view.view_id: view for view in session.scalars(query)}


def _one_of(own: dict[str, SavedView], view_id: str) -> SavedView:
    if view_id not in own:
        raise NotFound("VIEW_NOT_FOUND", "You have no such view.")
    return own[view_id]
