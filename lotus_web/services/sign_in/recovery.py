"""Recovery codes: ten that replace a passkey once each, shown when they are made and stored as hashes."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.sign_in.passkeys import RECOVERY_CODES
from lotus_web.models import Person, RecoveryCode
from lotus_web.store.new_ids import new_id

# No letter that is read for another one: 16 of 32 characters are 80 bits, which need no slow hash.
ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
GROUPS, GROUP = 4, 4


def new_codes(session: Session, *, name: str, now: datetime) -> list[str]:
    """Replace a person's codes by new ones and return them; they cannot be shown again."""
    drop_codes(session, name=name)
    codes = ["-".join(_group() for _ in range(GROUPS)) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(code_id=new_id("rcv_"), name=name, code_hash=_hash(name, code), created_at=now) for code in codes
    )
    session.flush()
    return codes


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUP))


def _hash(name: str, typed: str) -> str:
    """Return the hash of a code as typed: case, spaces and dashes do not count, nor what looks like another letter."""
    plain = typed.upper().translate(str.maketrans("OIL", "011"))
    return secret_hash(name + ":" + "".join(sign for sign in plain if sign in ALPHABET))


def use_code(session: Session, typed: str, *, name: str, now: datetime) -> bool:
    """Return whether this is a code of the person that was not used yet; it is used now."""
    query = select(RecoveryCode).where(RecoveryCode.name == name, RecoveryCode.code_hash == _hash(name, typed[:128]))
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None or row.used_at is not None:
        return False
    row.used_at = now
    session.flush()
    return True


def drop_codes(session: Session, *, name: str) -> None:
    """Remove all codes of a person."""
    session.execute(select(Person.name).where(Person.name == name).with_for_update(key_share=True))
    for row in session.scalars(select(RecoveryCode).where(RecoveryCode.name == name)):
        session.delete(row)
    session.flush()


def codes_left(session: Session, name: str) -> int:
    """Return how many codes of a person can still be used."""
    query = select(func.count()).where(RecoveryCode.name == name, RecoveryCode.used_at.is_(None))
    return session.scalar(query) or 0
