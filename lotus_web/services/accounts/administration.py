"""What administrators change, each change put on record in the transaction that makes it (console.md, /admin)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission, Role, check_permission
from lotus_web.domain.accounts.names import check_account_name
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.surface import Surface
from lotus_web.models import ApiToken, Person, PersonRole, ServiceAccount
from lotus_web.services.accounts import people, tokens
from lotus_web.services.accounts import service_accounts as accounts
from lotus_web.services.accounts.change_log import record_change, token_facts
from lotus_web.services.accounts.tokens import NewToken
from lotus_web.services.sign_in.passwords import NewPassword


def add_person(
    session: Session,
    *,
    name: str,
    password: NewPassword,
    role: Role,
    display_name: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Make a person with a first role in the actor's tenant; raises Forbidden, InvalidInput, Conflict ``NAME_TAKEN``."""
    check_permission(actor, Permission.ADMIN)
    people.create_person(
        session,
        name=name,
        password=password,
        role=role,
        tenant_id=actor.tenant_id,
        now=now,
        display_name=display_name,
    )
    _record(session, actor, now, "add_person", name, role=role.value)


def grant_role(session: Session, *, name: str, role: Role, actor: Actor, now: datetime) -> None:
    """Give a person of the tenant another role here; raises Forbidden, NotFound."""
    check_permission(actor, Permission.ADMIN)
    _check_here(session, name, actor.tenant_id)
    people.give_role(session, name=name, role=role, tenant_id=actor.tenant_id, now=now)
    _record(session, actor, now, "grant_role", name, role=role.value)


def withdraw_role(session: Session, *, name: str, role: Role, actor: Actor, now: datetime) -> None:
    """Take a role here away; raises Forbidden, NotFound, Conflict ``LAST_ADMIN`` when nobody else could undo it."""
    check_permission(actor, Permission.ADMIN)
    _check_here(session, name, actor.tenant_id)
    if role is Role.ADMIN:
        _check_another_admin(session, name, actor.tenant_id)
    people.take_role(session, name=name, role=role, tenant_id=actor.tenant_id)
    _record(session, actor, now, "withdraw_role", name, role=role.value)


def shut_out(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Disable a person and end their sessions; raises Forbidden, NotFound, Conflict ``LAST_ADMIN`` or ``WORKS_ELSEWHERE``."""
    check_permission(actor, Permission.ADMIN)
    _check_only_here(session, name, actor.tenant_id)
    _check_another_admin(session, name, actor.tenant_id)
    people.disable_person(session, name=name, now=now)
    _record(session, actor, now, "disable_person", name)


def let_in(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Let a disabled person sign in again; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    check_permission(actor, Permission.ADMIN)
    _check_only_here(session, name, actor.tenant_id)
    people.enable_person(session, name=name)
    _record(session, actor, now, "enable_person", name)


def new_password(session: Session, *, name: str, password: NewPassword, actor: Actor, now: datetime) -> None:
    """Give a person another password and end their sessions; raises as ``shut_out``."""
    check_permission(actor, Permission.ADMIN)
    _check_only_here(session, name, actor.tenant_id)
    people.set_password(session, name=name, password=password, now=now)
    _record(session, actor, now, "set_password", name)


def issue_token(
    session: Session,
    *,
    account: str,
    permissions: Iterable[Permission],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
    token_id: str | None = None,
) -> NewToken:
    """Make a token for the actor's tenant; its text is returned this once. Raises Forbidden and as ``create_token`` does.

    Its account is a new one, or works here already: for any other name Conflict ``NAME_TAKEN``, whoever has it.
    """
    check_permission(actor, Permission.ADMIN)
    _check_free_or_ours(session, check_account_name(account), actor.tenant_id)
    granted = sorted(set(permissions))
    made = tokens.create_token(
        session,
        account=account,
        tenant_id=actor.tenant_id,
        permissions=granted,
        expires_at=expires_at,
        now=now,
        token_id=token_id,
    )
    _record(session, actor, now, "issue_token", made.token_id, **token_facts(account, granted, expires_at))
    return made


def withdraw_token(session: Session, *, token_id: str, actor: Actor, now: datetime) -> None:
    """End a token that opens the actor's tenant and no other; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    check_permission(actor, Permission.ADMIN)
    token = session.get(ApiToken, token_id)
    if token is None or actor.tenant_id not in token.tenants:
        raise NotFound("TOKEN_NOT_FOUND", "There is no such token.")
    if token.tenants != [actor.tenant_id]:
        raise _elsewhere(f"The token {token_id} opens other tenants too")
    tokens.revoke_token(session, token_id=token_id, now=now)
    _record(session, actor, now, "revoke_token", token_id, account=token.account)


def close_account(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Disable a service account that works here and nowhere else; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    check_permission(actor, Permission.ADMIN)
    _check_account_only_here(session, name, actor.tenant_id)
    accounts.disable_account(session, name=name, now=now)
    accounts.record_change(session, name=name, disabled=True, actor=actor, surface=Surface.ADMIN, now=now)


def open_account(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Let a disabled service account in again; raises as ``close_account`` does."""
    check_permission(actor, Permission.ADMIN)
    _check_account_only_here(session, name, actor.tenant_id)
    accounts.enable_account(session, name=name)
    accounts.record_change(session, name=name, disabled=False, actor=actor, surface=Surface.ADMIN, now=now)


def _check_account_only_here(session: Session, name: str, tenant_id: str) -> None:
    tenants = accounts.account_tenants(session, name)
    if tenant_id not in tenants:
        raise NotFound("ACCOUNT_NOT_FOUND", f"There is no service account named {name}.")
    if tenants != {tenant_id}:
        raise _elsewhere(f"{name} works for other tenants too")


def _check_free_or_ours(session: Session, name: str, tenant_id: str) -> None:
    """Raise Conflict for the name of a person, and of an account that no token lets work here: whose it is stays untold.

    Once an account has tokens of two tenants only operators can disable it, so no tenant takes in another's.
    """
    if session.get(ServiceAccount, name) is not None:
        taken = tenant_id not in accounts.account_tenants(session, name)
    else:
        taken = session.get(Person, name) is not None
    if taken:
        raise Conflict("NAME_TAKEN", f"The name {name} is taken.")


def _record(session: Session, actor: Actor, now: datetime, action: str, subject: str, **facts: str) -> None:
    record_change(session, action, subject=subject, actor=actor, surface=Surface.ADMIN, now=now, **facts)


def _tenants(session: Session, name: str) -> set[str]:
    return set(session.scalars(select(PersonRole.tenant_id).where(PersonRole.name == name)))


def _check_here(session: Session, name: str, tenant_id: str) -> None:
    """Raise NotFound for a person without a role here: to this tenant there is no such person."""
    if tenant_id not in _tenants(session, name):
        raise NotFound("PERSON_NOT_FOUND", f"There is no person named {name} here.")


def _check_only_here(session: Session, name: str, tenant_id: str) -> None:
    _check_here(session, name, tenant_id)
    if _tenants(session, name) != {tenant_id}:
        raise _elsewhere(f"{name} works for other tenants too")


def _elsewhere(why: str) -> Conflict:
    return Conflict("WORKS_ELSEWHERE", f"{why}: an operator has to do this from the command line.")


def _check_another_admin(session: Session, name: str, tenant_id: str) -> None:
    admins = session.scalars(
        select(PersonRole.name)
        .join(Person, Person.name == PersonRole.name)
        .where(PersonRole.tenant_id == tenant_id, PersonRole.role == Role.ADMIN.value, Person.disabled_at.is_(None))
        .with_for_update()
    ).all()
    if admins == [name]:
        raise Conflict("LAST_ADMIN", f"{name} is the only administrator here: make another one first.")
