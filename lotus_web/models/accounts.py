"""Accounts: people with their roles per tenant, sessions and failed sign-ins, and service accounts with their bearer tokens.

Of passwords, sessions and tokens only hashes are stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class Person(Base):
    """Someone who signs in; ``name`` is the account id that decisions carry.

    ``password_set_by`` is who last gave them a password other than themselves, and ``password_principals`` everyone who counts as
    having done that (domain/accounts/acting.py); null where it is not known.
    """

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    password_set_by: Mapped[str | None]
    password_set_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    password_principals: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PersonRole(Base):
    """A role of a person in one tenant; ``given_at`` is null where it is not known."""

    __tablename__ = "person_roles"

    name: Mapped[str] = mapped_column(ForeignKey("people.name"), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    given_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("role IN ('viewer', 'adviser', 'reviewer', 'manager', 'admin')", name="role"),)


class PersonSession(Base):
    """One sign-in. Only a hash of the session id is stored; ``draft`` keeps text typed before a sign-in was needed.

    ``method`` is a word of ``domain/sign_in/methods.py``; null for a sign-in from before that was stored, which was by password.
    """

    __tablename__ = "person_sessions"

    session_hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("people.name"))
    tenant_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    draft: Mapped[dict[str, Any] | None] = mapped_column(Json)
    method: Mapped[str | None]

    __table_args__ = (
        Index("ix_person_sessions_name", "name"),
        Index("ix_person_sessions_expires", "expires_at"),
    )


class SignInFailure(Base):
    """One failed sign-in, counted per name and per address to slow guessing down."""

    __tablename__ = "sign_in_failures"

    failure_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_sign_in_failures_name", "name", "failed_at"),
        Index("ix_sign_in_failures_address", "address", "failed_at"),
        Index("ix_sign_in_failures_age", "failed_at"),
    )


class ServiceAccount(Base):
    """A program that calls the API."""

    __tablename__ = "service_accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A bearer token: its tenants, its permissions and the SHA-256 of its secret (256 random bits need no slow hash).

    ``principals`` is everyone who counts as its maker (domain/accounts/acting.py); null where it is not known.
    """

    __tablename__ = "api_tokens"

    token_id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("service_accounts.name"))
    secret_hash: Mapped[str]
    tenants: Mapped[list[str]] = mapped_column(Json)
    permissions: Mapped[list[str]] = mapped_column(Json)
    made_by: Mapped[str | None]
    principals: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_api_tokens_account", "account"),)
