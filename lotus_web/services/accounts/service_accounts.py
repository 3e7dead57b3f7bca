"""Service accounts: disabled with all their tokens, and enabled again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.sentences import Sentence
from lotus_web.models import ApiToken, ServiceAccount


def disable_account(session: Session, *, name: str, now: datetime) -> None:
    """Disable an account: none of its tokens works from now on. Disabling it twice does no harm. Raises NotFound."""
    account = _account(session, name)
    account.disabled_at = account.disabled_at or now
    session.flush()


def enable_account(session: Session, *, name: str) -> None:
    """Enable an account; its tokens that are neither revoked nor expired work again. Raises NotFound."""
    _account(session, name).disabled_at = None
    session.flush()


def account_tenants(session: Session, name: str) -> frozenset[str]:
    """Return the tenants of all tokens of an account, of revoked ones too; raises NotFound."""
    _account(session, name)
    named = session.scalars(select(ApiToken.tenants).where(ApiToken.account == name))
    return frozenset(tenant for tenants in named for tenant in tenants)


def _account(session: Session, name: str) -> ServiceAccount:
    account = session.get(ServiceAccount, name, populate_existing=True, with_for_update=True)
    if account is None:
        raise NotFound("ACCOUNT_NOT_FOUND", Sentence("There is no service account named {name}.", name=name))
    return account
