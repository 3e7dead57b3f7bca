"""Which tokens there are. Their secrets are nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

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


def list_tokens(session: Session, *, tenant_id: str | None = None) -> tuple[TokenRow, ...]:
    """Return all tokens, or those that open one tenant, by account and then the newest first."""
    rows = session.execute(
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
        for row in rows
        if tenant_id is None or tenant_id in row.tenants
    )
