"""What an operator changes from the command line: nobody asks for a permission, and each change is put on record in every
tenant that it touches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType, Permission, Role
from lotus_web.domain.surface import Surface
from lotus_web.models import ApiToken, PersonRole
from lotus_web.services.accounts import people, tokens
from lotus_web.services.accounts.change_log import record_change, token_facts
from lotus_web.services.accounts.service_accounts import OPERATOR
from lotus_web.services.accounts.tokens import NewToken
from lotus_web.services.sign_in.passwords import NewPassword


def add_person(
    session: Session,
    *,
    name: str,
    password: NewPassword,
    role: Role,
    tenant_id: str,
    display_name: str | None,
    now: datetime,
) -> None:
    """Make a person with a first role; raises InvalidInput, Conflict ``NAME_TAKEN``."""
    people.create_person(
        session,
        name=name,
        password=password,
        role=role,
        tenant_id=tenant_id,
        now=now,
        display_name=display_name,
    )
    _record(session, "add_person", name, [tenant_id], now, role=role.value)


def grant_role(session: Session, *, name: str, role: Role, tenant_id: str, now: datetime) -> None:
    """Give a person a role in a tenant; raises NotFound."""
    people.give_role(session, name=name, role=role, tenant_id=tenant_id, now=now)
    _record(session, "grant_role", name, [tenant_id], now, role=role.value)


def withdraw_role(session: Session, *, name: str, role: Role, tenant_id: str, now: datetime) -> None:
    """Take a role in a tenant away; raises NotFound."""
    people.take_role(session, name=name, role=role, tenant_id=tenant_id)
    _record(session, "withdraw_role", name, [tenant_id], now, role=role.value)


def shut_out(session: Session, *, name: str, now: datetime) -> None:
    """Disable a person and end their sessions; raises NotFound."""
    people.disable_person(session, name=name, now=now)
    _record(session, "disable_person", name, _tenants(session, name), now)


def let_in(session: Session, *, name: str, now: datetime) -> None:
    """Let a disabled person sign in again; raises NotFound."""
    people.enable_person(session, name=name)
    _record(session, "enable_person", name, _tenants(session, name), now)


def new_password(session: Session, *, name: str, password: NewPassword, now: datetime) -> None:
    """Give a person another password and end their sessions; raises NotFound."""
    people.set_password(session, name=name, password=password, now=now)
    _record(session, "set_password", name, _tenants(session, name), now)


def issue_token(
    session: Session,
    *,
    account: str,
    tenant_id: str,
    permissions: Iterable[Permission],
    expires_at: datetime,
    now: datetime,
) -> NewToken:
    """Make a token, whose text is returned this once; raises as ``create_token`` does."""
    granted = tuple(permissions)
    made = tokens.create_token(
        session, account=account, tenant_id=tenant_id, permissions=granted, expires_at=expires_at, now=now
    )
    facts = token_facts(account, granted, expires_at)
    _record(session, "issue_token", made.token_id, [tenant_id], now, **facts)
    return made


def withdraw_token(session: Session, *, token_id: str, now: datetime) -> None:
    """End a token in every tenant that it opens; raises NotFound."""
    tokens.revoke_token(session, token_id=token_id, now=now)
    account, tenants = session.execute(
        select(ApiToken.account, ApiToken.tenants).where(ApiToken.token_id == token_id)
    ).one()
    _record(session, "revoke_token", token_id, tenants, now, account=account)


def _tenants(session: Session, name: str) -> set[str]:
    return set(session.scalars(select(PersonRole.tenant_id).where(PersonRole.name == name)))


def _record(session: Session, action: str, subject: str, tenants: Iterable[str], now: datetime, **facts: str) -> None:
    for tenant_id in sorted(tenants):
        operator = Actor(ActorType.SYSTEM, OPERATOR, tenant_id)
        record_change(session, action, subject=subject, actor=operator, surface=Surface.CLI, now=now, **facts)
