"""Who an item can be given to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, Role, permissions_of
from lotus_web.domain.errors import InvalidInput
from lotus_web.models import Person, PersonRole


def check_assignee(
    session: Session, tenant_id: str, *, account_id: str | None, role: str | None, field: str = "assigned_account_id"
) -> None:
    """Raise InvalidInput unless the role exists and the person, whom ``field`` named, works here and may review."""
    if role is not None and role not in set(Role):
        raise InvalidInput("invalid_argument", f"There is no role {role}.", loc=("body", "assigned_role"))
    if account_id is None:
        return
    roles = session.scalars(
        select(PersonRole.role)
        .join(Person, Person.name == PersonRole.name)
        .where(PersonRole.tenant_id == tenant_id, PersonRole.name == account_id, Person.disabled_at.is_(None))
    ).all()
    if Permission.WORKFLOW_REVIEW not in permissions_of(Role(found) for found in roles):
        raise InvalidInput("invalid_argument", f"{account_id} cannot review items here.", loc=("body", field))
