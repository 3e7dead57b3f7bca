"""The keys that sign checkpoints: which of them is in use, as recorded, and the change to another one."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.domain.transparency.keys import KeyStatement, signed_statement
from lotus_web.domain.transparency.notes import encode
from lotus_web.models import LogKey
from lotus_web.store.ed25519 import SigningKey
from lotus_web.store.upserts import insert_into

KEY_NOT_RECORDED = "LOG_KEY_NOT_RECORDED"


def newest_key(session: Session) -> LogKey | None:
    """Return the statement about the key that is in use now."""
    return session.scalars(select(LogKey).order_by(LogKey.key_seq.desc()).limit(1)).one_or_none()


def check_key(session: Session, key: SigningKey, *, now: datetime) -> None:
    """Record the first key; refuse any but the newest one afterwards.

    Raises Conflict ``LOG_KEY_NOT_RECORDED``: a key that took the place of another without a statement would begin a log that
    nobody can tell from a forged one.
    """
    newest = newest_key(session)
    if newest is None:
        _record(session, KeyStatement(key.public, None, _words(now)), key, None, now)
    elif newest.public_key != encode(key.public):
        message = (
            "The key in LOTUS_LOG_KEY_FILE is not the one that signed the last checkpoints."
            " Put that one back; flask --app app audit key rotate changes it."
        )
        raise Conflict(KEY_NOT_RECORDED, message)


def replace_key(session: Session, old: SigningKey, new: SigningKey, *, now: datetime) -> None:
    """Record that a key takes the place of another, with the signatures of both; raises Conflict as ``check_key`` does."""
    check_key(session, old, now=now)
    _record(session, KeyStatement(new.public, old.public, _words(now)), new, old, now)


def _record(session: Session, statement: KeyStatement, new: SigningKey, old: SigningKey | None, now: datetime) -> None:
    signs = [key.sign for key in (new, old) if key is not None]
    values = {
        "public_key": encode(statement.public),
        "note": str(signed_statement(statement, *signs)),
        "created_at": now,
    }
    session.execute(insert_into(session, LogKey).values(values).on_conflict_do_nothing())


def _words(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")
