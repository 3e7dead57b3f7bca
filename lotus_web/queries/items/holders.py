"""Holders of items: whether they are disabled, and how many items they hold."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from lotus_web.models import Person, WorkflowItem
from lotus_web.queries.items.open import all_open

# A column for rows of items, read by the key of the person: whether nobody works on it because who has it may not sign in.
HOLDER_DISABLED = (
    exists()
    .where(Person.name == WorkflowItem.assigned_account_id, Person.disabled_at.is_not(None))
    .correlate(WorkflowItem)
    .label("holder_disabled")
)


def is_disabled(session: Session, name: str) -> bool:
    """Return whether a person of this name is disabled."""
    return session.scalar(select(Person.disabled_at).where(Person.name == name)) is not None


def open_items_held(session: Session, tenant_id: str, name: str) -> int:
    """Return how many open items someone holds in a tenant."""
    held = (*all_open(tenant_id), WorkflowItem.assigned_account_id == name)
    return session.scalars(select(func.count()).select_from(WorkflowItem).where(*held)).one()
