"""Lists of service accounts and tokens. The secret of a token is not stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, select, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import canonical_json
from lotus_web.models import ApiToken, ServiceAccount


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token in a list."""

    token_id: str
    account: str
    tenants: tuple[str, ...]
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    account_disabled_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return ``valid``, ``revoked``, ``disabled`` (its account is) or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        if self.account_disabled_at is not None:
            return "disabled"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A service account in a list; ``usable`` of its ``tokens`` open something now, ``elsewhere`` says other tenants too."""

    name: str
    disabled_at: datetime | None
    tokens: int
    usable: int
    elsewhere: bool


def list_accounts(session: Session, *, tenant_id: str, now: datetime) -> tuple[AccountRow, ...]:
    """Return the accounts with a token for the tenant, by name; what they hold for other tenants is not counted. One query."""
    here = select(ApiToken.account).where(_opens(tenant_id))
    by_account: dict[str, list[TokenRow]] = {}
    for token in _rows(session, _TOKENS.where(ApiToken.account.in_(here))):
        by_account.setdefault(token.account, []).append(token)
    rows = []
    for name, all_of_it in by_account.items():
        own = [token for token in all_of_it if tenant_id in token.tenants]
        if own:
            usable = sum(token.state(now) == "valid" for token in own)
            elsewhere = any(tenant != tenant_id for token in all_of_it for tenant in token.tenants)
            rows.append(AccountRow(name, own[0].account_disabled_at, len(own), usable, elsewhere))
    return tuple(rows)


def list_tokens(session: Session, *, tenant_id: str | None = None) -> tuple[TokenRow, ...]:
    """Return all tokens, or those of one tenant, by account, the newest first. One query."""
    if tenant_id is None:
        return _rows(session, _TOKENS)
    return tuple(token for token in _rows(session, _TOKENS.where(_opens(tenant_id))) if tenant_id in token.tenants)


def token_of_tenant(session: Session, tenant_id: str, token_id: str) -> TokenRow | None:
    """Return a token of a tenant; None for any other. One query, by key."""
    found = _rows(session, _TOKENS.where(ApiToken.token_id == token_id))
    return found[0] if found and tenant_id in found[0].tenants else None


_TOKENS = (
    select(
        ApiToken.token_id,
        ApiToken.account,
        ApiToken.tenants,
        ApiToken.permissions,
        ApiToken.created_at,
        ApiToken.expires_at,
        ApiToken.revoked_at,
        ServiceAccount.disabled_at,
    )
    .join(ServiceAccount, ServiceAccount.name == ApiToken.account)
    .order_by(ApiToken.account, ApiToken.created_at.desc(), ApiToken.token_id)
)


def _opens(tenant_id: str) -> ColumnElement[bool]:
    # The column holds canonical JSON text, in which a tenant is written in one way only; SQLite takes ACME for acme here.
    return type_coerce(ApiToken.tenants, Text).contains(canonical_json(tenant_id), autoescape=True)


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> tuple[TokenRow, ...]:
    return tuple(
        TokenRow(
            row.token_id,
            row.account,
            tuple(row.tenants),
            tuple(row.permissions),
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.disabled_at,
        )
        for row in session.execute(query)
    )
