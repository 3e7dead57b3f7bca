"""People: the session of a request, and lists of people with their roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lotus_web.domain.access import DEFAULT_TENANT, REVIEWING_ROLES, Role
from lotus_web.domain.accounts.acting import Credential, password_credential
from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.models import Person, PersonRole, PersonSession

RolesByTenant = Mapping[str, frozenset[Role]]


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session with its person, valid or not."""

    name: str
    display_name: str
    tenant_id: str
    roles: RolesByTenant
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    draft: dict[str, Any] | None
    created_at: datetime
    method: str | None
    password_set_by: str | None = None
    password_set_at: datetime | None = None
    password_principals: list[str] | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether the session is valid; how long its person was idle is in their cookie (ADR 0005)."""
        return self.revoked_at is None and self.disabled_at is None and now < self.expires_at

    def credential(self, now: datetime) -> Credential:
        """Return who is behind the person's password."""
        return password_credential(
            self.name,
            set_by=self.password_set_by,
            set_at=self.password_set_at,
            principals=self.password_principals,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a list."""

    name: str
    display_name: str
    created_at: datetime
    disabled_at: datetime | None
    roles: RolesByTenant


def find_session(session: Session, session_id: str) -> FoundSession | None:
    """Return the session of a cookie with its person's roles as they are now; one query."""
    rows = session.execute(
        select(
            PersonSession.name,
            Person.display_name,
            PersonSession.tenant_id,
            PersonSession.last_seen_at,
            PersonSession.expires_at,
            PersonSession.revoked_at,
            Person.disabled_at,
            PersonSession.draft,
            PersonSession.created_at,
            PersonSession.method,
            Person.password_set_by,
            Person.password_set_at,
            Person.password_principals,
            PersonRole.tenant_id.label("role_tenant"),
            PersonRole.role,
        )
        .join(Person, Person.name == PersonSession.name)
        .outerjoin(PersonRole, PersonRole.name == PersonSession.name)
        .where(PersonSession.session_hash == secret_hash(session_id))
    ).all()
    if not rows:
        return None
    first = rows[0]._mapping
    roles = _by_tenant((row.role_tenant, row.role) for row in rows if row.role is not None)
    return FoundSession(roles=roles, **{field.name: first[field.name] for field in _OF_ROW})


_OF_ROW = tuple(field for field in fields(FoundSession) if field.name != "roles")


def _by_tenant(pairs: Iterable[tuple[str, str]]) -> RolesByTenant:
    found: dict[str, set[Role]] = defaultdict(set)
    for tenant_id, role in pairs:
        found[tenant_id].add(Role(role))
    return {tenant_id: frozenset(found[tenant_id]) for tenant_id in sorted(found)}


def list_people(session: Session, *, tenant_id: str | None = None) -> tuple[PersonRow, ...]:
    """Return all people by username, or those with a role in one tenant, then with their roles there only. One query."""
    query = _people().outerjoin(PersonRole, PersonRole.name == Person.name)
    if tenant_id is not None:
        query = query.where(PersonRole.tenant_id == tenant_id)
    return _rows(session, query)


def person_of_tenant(session: Session, tenant_id: str, name: str) -> PersonRow | None:
    """Return a person with their roles in a tenant; None for one who has none there. One query, by key."""
    query = _people().join(PersonRole, PersonRole.name == Person.name)
    found = _rows(session, query.where(PersonRole.tenant_id == tenant_id, Person.name == name))
    return found[0] if found else None


def _people() -> Select[*tuple[Any, ...]]:
    facts = (Person.name, Person.display_name, Person.created_at, Person.disabled_at)
    return select(*facts, PersonRole.tenant_id, PersonRole.role).select_from(Person).order_by(Person.name)


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> tuple[PersonRow, ...]:
    rows = session.execute(query).all()
    held: dict[str, list[tuple[str, str]]] = {row.name: [] for row in rows}
    for row in rows:
        if row.role is not None:
            held[row.name].append((row.tenant_id, row.role))
    facts = {row.name: row for row in rows}
    return tuple(
        PersonRow(one.name, one.display_name, one.created_at, one.disabled_at, _by_tenant(held[one.name]))
        for one in facts.values()
    )


def display_names(session: Session, tenant_id: str) -> dict[str, str]:
    """Return the display names of people with a role in a tenant, disabled ones too, by username; one query."""
    here = select(PersonRole.name).where(PersonRole.tenant_id == tenant_id)
    query = select(Person.name, Person.display_name).where(Person.name.in_(here))
    return {row[0]: row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Tenants:
    """The tenants in which a person has a role, and the one in which a new session of theirs starts."""

    all: tuple[str, ...]
    first: str
    known: bool


def tenants_of(session: Session, name: str) -> Tenants | None:
    """Return a person's tenants; None without any. A session begins where the last one was, else in ``default`` if it can.

    ``known`` is False where the person should be asked: several tenants and no earlier session in one of them.
    """
    query = select(PersonRole.tenant_id).where(PersonRole.name == name).distinct().order_by(PersonRole.tenant_id)
    tenants = tuple(session.scalars(query))
    if not tenants:
        return None
    last = session.scalar(
        select(PersonSession.tenant_id)
        .where(PersonSession.name == name)
        .order_by(PersonSession.created_at.desc())
        .limit(1)
    )
    if last in tenants:
        return Tenants(tenants, last, known=True)
    first = DEFAULT_TENANT if DEFAULT_TENANT in tenants else tenants[0]
    return Tenants(tenants, first, known=len(tenants) == 1)


def assignable_people(session: Session, tenant_id: str) -> tuple[str, ...]:
    """Return the usernames of the people of a tenant who may review, sorted."""
    query = (
        select(PersonRole.name)
        .join(Person, Person.name == PersonRole.name)
        .where(PersonRole.tenant_id == tenant_id, PersonRole.role.in_(REVIEWING_ROLES), Person.disabled_at.is_(None))
        .distinct()
        .order_by(PersonRole.name)
    )
    return tuple(session.scalars(query))
