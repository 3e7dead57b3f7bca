"""What people prove themselves with besides a password: passkeys and recovery codes, and the challenges that were answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime


class Passkey(Base):
    """A public key that an authenticator of a person made for this site (WebAuthn).

    ``public_key`` is the key as SubjectPublicKeyInfo in base 64, as other tools read it, ``cose_key`` the same as the authenticator
    sent it. ``user_handle`` is what authenticators know the person by: random, and the same for all of one person.
    """

    __tablename__ = "passkeys"

    passkey_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("people.name"))
    label: Mapped[str]
    credential_id: Mapped[str]
    user_handle: Mapped[str]
    public_key: Mapped[str]
    cose_key: Mapped[str]
    rp_id: Mapped[str]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_by: Mapped[str | None]

    __table_args__ = (
        Index("ix_passkeys_name", "name"),
        Index("ix_passkeys_credential_id", "credential_id", unique=True),
    )


class RecoveryCode(Base):
    """A code that replaces a passkey once; only its hash is stored."""

    __tablename__ = "recovery_codes"

    code_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("people.name"))
    code_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_recovery_codes_name", "name"),)


class AnsweredChallenge(Base):
    """A challenge that was answered, kept until it has expired, so that an answer counts once."""

    __tablename__ = "answered_challenges"

    challenge_hash: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_answered_challenges_expires", "expires_at"),)
