"""Who an item can be given to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import REVIEWING_ROLES, Role
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.models import Person, PersonRole


def check_assignee(
    session: Session, tenant_id: str, *, account_id: str | None, role: str | None, field: str = "assigned_account_id"
) -> None:
    """Raise InvalidInput unless the role may review and the person, whom ``field`` named, works here and may too."""
    if role is not None and role not in set(Role):
        raise InvalidInput(
            "invalid_argument", Sentence("There is no role {role}.", role=role), loc=("body", "assigned_role")
        )
    if role is not None and role not in REVIEWING_ROLES:
        raise InvalidInput(
            "invalid_argument", Sentence("A {role} cannot review items.", role=role), loc=("body", "assigned_role")
        )
    if account_id is not None and not may_review(session, tenant_id, account_id):
        raise InvalidInput(
            "invalid_argument",
            Sentence("{account_id} cannot review items here.", account_id=Account(account_id)),
            loc=("body", field),
        )


def may_review(session: Session, tenant_id: str, name: str) -> bool:
    """Return whether a person of this name works here, is not disabled, and has a role that reviews."""
    query = (
        select(PersonRole.name)
        .join(Person, Person.name == PersonRole.name)
        .where(
            PersonRole.tenant_id == tenant_id,
            PersonRole.name == name,
            PersonRole.role.in_(REVIEWING_ROLES),
            Person.disabled_at.is_(None),
        )
    )
    return session.scalar(query.limit(1)) is not None
