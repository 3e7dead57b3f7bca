"""Service accounts as a whole: shut out with every token of theirs, and let in again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.errors import NotFound
from lotus_web.domain.surface import Surface
from lotus_web.models import ApiToken, ServiceAccount
from lotus_web.services.audit.records import AuditCategory, record_audit

OPERATOR = "operator"


def disable_account(session: Session, *, name: str, now: datetime) -> None:
    """Shut an account out: none of its tokens opens anything from now on. Twice is harmless. Raises NotFound."""
    account = _account(session, name)
    account.disabled_at = account.disabled_at or now
    session.flush()


def enable_account(session: Session, *, name: str) -> None:
    """Let an account in again, with those tokens that are neither revoked nor expired. Raises NotFound."""
    _account(session, name).disabled_at = None
    session.flush()


def account_tenants(session: Session, name: str) -> frozenset[str]:
    """Return every tenant that a token of the account names, revoked ones too; raises NotFound."""
    _account(session, name)
    named = session.scalars(select(ApiToken.tenants).where(ApiToken.account == name))
    return frozenset(tenant for tenants in named for tenant in tenants)


def record_change(
    session: Session, *, name: str, disabled: bool, actor: Actor, surface: Surface, now: datetime
) -> None:
    """Put it on record in the actor's tenant that an account was shut out or let in."""
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action="disable_account" if disabled else "enable_account",
        subject=name,
        code="done",
        message=f"The service account {name} was disabled." if disabled else f"The service account {name} was enabled.",
        surface=surface,
        now=now,
    )


def change_by_operator(session: Session, *, name: str, disabled: bool, now: datetime) -> None:
    """Disable or enable an account from the command line, on record in every tenant that it opens; raises NotFound."""
    if disabled:
        disable_account(session, name=name, now=now)
    else:
        enable_account(session, name=name)
    for tenant_id in sorted(account_tenants(session, name)):
        operator = Actor(ActorType.SYSTEM, OPERATOR, tenant_id)
        record_change(session, name=name, disabled=disabled, actor=operator, surface=Surface.CLI, now=now)


def _account(session: Session, name: str) -> ServiceAccount:
    account = session.get(ServiceAccount, name)
    if account is None:
        raise NotFound("ACCOUNT_NOT_FOUND", f"There is no service account named {name}.")
    return account
