"""Changes of people, roles, service accounts and tokens, each with its line in the audit log (console.md, /admin).

Administrators make them on the pages, operators from the command line, through the same functions. A change of a role or a new
token touches the actor's tenant. Any other change touches every tenant that the person, account or token works for: that an
operator may do; an administrator only where their own tenant is the only one. The line is added in every tenant touched, in
the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import DEFAULT_TENANT, Actor, ActorType, Permission, Role, check_permission
from lotus_web.domain.accounts.names import check_account_name
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.domain.surface import Surface
from lotus_web.models import ApiToken, Person, PersonRole, ServiceAccount
from lotus_web.services.accounts import people, service_accounts, tokens
from lotus_web.services.accounts.tokens import NewToken
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.sign_in.passkeys import remove_passkeys
from lotus_web.services.sign_in.passwords import NewPassword
from lotus_web.services.sign_in.recovery import drop_codes
from lotus_web.services.sign_in.sessions import close_sessions_of

# The action that is stored, and its sentence.
SENTENCES = {
    "add_person": "{subject} was added as {role}.",
    "grant_role": "{subject} was given the role {role}.",
    "withdraw_role": "{subject} lost the role {role}.",
    "disable_person": "{subject} was disabled and signed out.",
    "enable_person": "{subject} may sign in again.",
    "set_password": "{subject} was given another password and signed out.",
    "reset_passkeys": "{subject} lost {count} passkeys and all recovery codes, and was signed out.",
    "issue_token": "A token of {account} for {permissions}{until} was made.",
    "revoke_token": "A token of {account} was revoked.",
    "disable_account": "The service account {subject} was disabled.",
    "enable_account": "The service account {subject} was enabled.",
}


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
    """Create a person with a first role in the actor's tenant; raises Forbidden, InvalidInput, Conflict ``NAME_TAKEN``."""
    _take_turn(session, actor)
    people.create_person(
        session,
        name=name,
        password=password,
        role=role,
        tenant_id=actor.tenant_id,
        now=now,
        display_name=display_name,
        by=actor,
    )
    record_change(session, "add_person", name, actor=actor, now=now, role=role.value)


def grant_role(session: Session, *, name: str, role: Role, actor: Actor, now: datetime) -> None:
    """Give a person another role in the actor's tenant; raises Forbidden, NotFound."""
    _take_turn(session, actor)
    _check_here(session, name, actor)
    people.give_role(session, name=name, role=role, tenant_id=actor.tenant_id, now=now)
    record_change(session, "grant_role", name, actor=actor, now=now, role=role.value)


def revoke_role(session: Session, *, name: str, role: Role, actor: Actor, now: datetime) -> None:
    """Take a role in the actor's tenant away; raises Forbidden, NotFound, Conflict ``LAST_ADMIN`` if nobody else there has it."""
    _take_turn(session, actor)
    _check_here(session, name, actor)
    if role is Role.ADMIN:
        _check_another_admin(session, name, actor)
    people.take_role(session, name=name, role=role, tenant_id=actor.tenant_id)
    record_change(session, "withdraw_role", name, actor=actor, now=now, role=role.value)


def disable_person(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Disable a person and end their sessions; raises Forbidden, NotFound, Conflict ``LAST_ADMIN`` or ``WORKS_ELSEWHERE``."""
    tenants = _tenants_of_person(session, name, actor)
    _check_another_admin(session, name, actor)
    people.disable_person(session, name=name, now=now)
    record_change(session, "disable_person", name, tenants, actor=actor, now=now)


def enable_person(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Let a disabled person sign in again; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    tenants = _tenants_of_person(session, name, actor)
    people.enable_person(session, name=name)
    record_change(session, "enable_person", name, tenants, actor=actor, now=now)


def reset_password(session: Session, *, name: str, password: NewPassword, actor: Actor, now: datetime) -> None:
    """Give a person another password and end their sessions; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    tenants = _tenants_of_person(session, name, actor)
    people.set_password(session, name=name, password=password, now=now, by=actor)
    record_change(session, "set_password", name, tenants, actor=actor, now=now)


def reset_passkeys(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Remove a person's passkeys and recovery codes and end their sessions: their password alone opens until they add a new one.

    Raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``, or ``NO_PASSKEY`` where there is none.
    """
    tenants = _tenants_of_person(session, name, actor)
    lock_tenant(session, DEFAULT_TENANT)
    removed = remove_passkeys(session, name=name, by=actor.actor_id, now=now)
    if not removed:
        raise Conflict("NO_PASSKEY", Sentence("{name} has no passkey.", name=Account(name)))
    drop_codes(session, name=name)
    people.note_reset(session, name=name, now=now, by=actor)
    close_sessions_of(session, name=name, now=now)
    record_change(session, "reset_passkeys", name, tenants, actor=actor, now=now, count=str(removed))


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
    """Create a token for the actor's tenant; its text is returned this once. Raises Forbidden and as ``create_token`` does.

    An administrator names a new account, or one that works in their tenant already: any other name is Conflict ``NAME_TAKEN``.
    """
    _take_turn(session, actor)
    _check_free_or_ours(session, check_account_name(account), actor)
    granted = sorted(set(permissions))
    made = tokens.create_token(
        session,
        account=account,
        tenant_id=actor.tenant_id,
        permissions=granted,
        expires_at=expires_at,
        now=now,
        token_id=token_id,
        by=actor,
    )
    facts = {
        "account": account,
        "permissions": ", ".join(permission.value for permission in granted),
        "until": f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "",
    }
    record_change(session, "issue_token", made.token_id, actor=actor, now=now, **facts)
    return made


def revoke_token(session: Session, *, token_id: str, actor: Actor, now: datetime) -> None:
    """Revoke a token in every tenant it is for; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    _take_turn(session, actor)
    token = session.get(ApiToken, token_id)
    if token is None or not (_is_operator(actor) or actor.tenant_id in token.tenants):
        raise NotFound("TOKEN_NOT_FOUND", "There is no such token.")
    _check_only_here(
        set(token.tenants), actor, Sentence("The token {token_id} also works for other tenants", token_id=token_id)
    )
    tokens.revoke_token(session, token_id=token_id, now=now)
    record_change(session, "revoke_token", token_id, token.tenants, actor=actor, now=now, account=token.account)


def disable_account(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Disable a service account with all its tokens; raises Forbidden, NotFound, Conflict ``WORKS_ELSEWHERE``."""
    tenants = _tenants_of_account(session, name, actor)
    service_accounts.disable_account(session, name=name, now=now)
    record_change(session, "disable_account", name, tenants, actor=actor, now=now)


def enable_account(session: Session, *, name: str, actor: Actor, now: datetime) -> None:
    """Enable a disabled service account; raises as ``disable_account`` does."""
    tenants = _tenants_of_account(session, name, actor)
    service_accounts.enable_account(session, name=name)
    record_change(session, "enable_account", name, tenants, actor=actor, now=now)


def record_change(
    session: Session,
    action: str,
    subject: str,
    tenants: Iterable[str] | None = None,
    *,
    actor: Actor,
    now: datetime,
    **facts: str,
) -> None:
    """Add the line of a change to the audit log of each tenant touched (None: the actor's); its sentence names ``facts``."""
    for tenant_id in sorted([actor.tenant_id] if tenants is None else tenants):
        record_audit(
            session,
            AuditCategory.ADMIN,
            actor=replace(actor, tenant_id=tenant_id),
            action=action,
            subject=subject,
            code="done",
            message=SENTENCES[action].format(subject=subject, **facts),
            surface=Surface.CLI if _is_operator(actor) else Surface.ADMIN,
            now=now,
        )


def _take_turn(session: Session, actor: Actor) -> None:
    """Raise Forbidden unless the actor administers, now and once they hold the lock of their tenant, for which they may wait.

    The default tenant's comes first, whose log has the entries of people: at the commit it would be asked for last.
    """
    check_permission(actor, Permission.ADMIN)
    lock_tenant(session, DEFAULT_TENANT)
    lock_tenant(session, actor.tenant_id)


def _is_operator(actor: Actor) -> bool:
    return actor.actor_type is ActorType.SYSTEM


def _tenants(session: Session, name: str) -> set[str]:
    return set(session.scalars(select(PersonRole.tenant_id).where(PersonRole.name == name)))


def _check_here(session: Session, name: str, actor: Actor) -> None:
    """Raise NotFound for a person without a role in an administrator's tenant: there, nobody has that name."""
    if not _is_operator(actor) and actor.tenant_id not in _tenants(session, name):
        raise NotFound("PERSON_NOT_FOUND", Sentence("There is no person named {name} here.", name=name))


def _tenants_of_person(session: Session, name: str, actor: Actor) -> set[str]:
    """Return the tenants that a change of a person touches; raises Forbidden, NotFound, Conflict if the actor may not make it."""
    _take_turn(session, actor)
    _check_here(session, name, actor)
    tenants = _tenants(session, name)
    _check_only_here(tenants, actor, Sentence("{name} works for other tenants too", name=Account(name)))
    return tenants


def _tenants_of_account(session: Session, name: str, actor: Actor) -> frozenset[str]:
    """Return the tenants that a change of a service account touches; raises as ``_tenants_of_person`` does."""
    _take_turn(session, actor)
    tenants = service_accounts.account_tenants(session, name)
    if not _is_operator(actor) and actor.tenant_id not in tenants:
        raise NotFound("ACCOUNT_NOT_FOUND", Sentence("There is no service account named {name}.", name=name))
    _check_only_here(tenants, actor, Sentence("{name} works for other tenants too", name=Account(name)))
    return tenants


def _check_only_here(tenants: Iterable[str], actor: Actor, why: Sentence) -> None:
    if not _is_operator(actor) and set(tenants) != {actor.tenant_id}:
        raise Conflict("WORKS_ELSEWHERE", Sentence("{why}: an operator has to do this from the command line.", why=why))


def _check_free_or_ours(session: Session, name: str, actor: Actor) -> None:
    """Raise Conflict for the name of a person, and of an account without a token for an administrator's tenant.

    The refusal is the same for both, so it does not tell whose name it is. Once an account has tokens of two tenants only
    operators can disable it, so no tenant may take over another's account.
    """
    if _is_operator(actor):
        return
    if session.get(ServiceAccount, name) is not None:
        taken = actor.tenant_id not in service_accounts.account_tenants(session, name)
    else:
        taken = session.get(Person, name) is not None
    if taken:
        raise Conflict("NAME_TAKEN", Sentence("The name {name} is taken.", name=name))


def _check_another_admin(session: Session, name: str, actor: Actor) -> None:
    """Raise Conflict ``LAST_ADMIN`` if a tenant's only administrator would lose their rights; an operator may do that."""
    if _is_operator(actor):
        return
    admins = session.scalars(
        select(PersonRole.name)
        .join(Person, Person.name == PersonRole.name)
        .where(
            PersonRole.tenant_id == actor.tenant_id, PersonRole.role == Role.ADMIN.value, Person.disabled_at.is_(None)
        )
        .order_by(PersonRole.name)  # two of these at once lock in the same order
        .with_for_update()
    ).all()
    if admins == [name]:
        raise Conflict(
            "LAST_ADMIN", Sentence("{name} is the only administrator here: make another one first.", name=Account(name))
        )
