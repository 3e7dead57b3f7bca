"""Service accounts and their bearer tokens, of which only hashes are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class ServiceAccount(Base):
    """A program that calls the API."""

    __tablename__ = "service_accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A bearer token: its tenants, its permissions and the SHA-256 of its secret (256 random bits need no slow hash)."""

    __tablename__ = "api_tokens"

    token_id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("service_accounts.name"))
    secret_hash: Mapped[str]
    tenants: Mapped[list[str]] = mapped_column(Json)
    permissions: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_api_tokens_account", "account"),)
