"""Sign-in: an attempt is counted before its password is checked, so that parallel guesses are counted too.

``begin_attempt`` commits first; ``password_matches`` then takes its time outside of any write transaction; a right password
takes the count back with ``forgive``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.credentials import PASSWORD_MAX
from lotus_web.domain.accounts.names import check_account_name
from lotus_web.domain.errors import InvalidInput, TooManyAttempts
from lotus_web.domain.sentences import Sentence
from lotus_web.models import Person, SignInFailure
from lotus_web.services.sign_in.passwords import HASHER, dummy_hash

WINDOW = timedelta(minutes=15)
FAILURES_PER_NAME = 5
FAILURES_PER_ADDRESS = 20
NOT_A_NAME = ":"
# Attempts of all replicas wait for each other while they are counted; writers to SQLite do so anyway.
COUNTING_LOCK = 7_204_002


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in in progress, counted as failed until its password turns out to be right."""

    name: str
    address: str


def begin_attempt(session: Session, *, name: str, address: str, now: datetime) -> Attempt:
    """Count an attempt; the caller commits before it checks the password.

    Raises TooManyAttempts after 5 failures for a name or 20 from an address within 15 minutes.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": COUNTING_LOCK})
    name = _counted_name(name)
    if name != NOT_A_NAME:
        _check_count(session, SignInFailure.name == name, FAILURES_PER_NAME, now)
    _check_count(session, SignInFailure.address == address, FAILURES_PER_ADDRESS, now)
    session.add(SignInFailure(name=name, address=address, failed_at=now))
    session.flush()
    return Attempt(name, address)


def _counted_name(name: str) -> str:
    """Return the name to count under: all texts that cannot be a username are counted together."""
    try:
        return check_account_name(name)
    except InvalidInput:
        return NOT_A_NAME


def _check_count(session: Session, whose: ColumnElement[bool], limit: int, now: datetime) -> None:
    times = session.scalars(
        select(SignInFailure.failed_at)
        # What lies further ahead was counted by a clock that has been set back since, and would block until it is caught up with.
        .where(whose, SignInFailure.failed_at > now - WINDOW, SignInFailure.failed_at < now + WINDOW)
        .order_by(SignInFailure.failed_at.desc())
        .limit(limit)
    ).all()
    if len(times) == limit:
        seconds = max(1, ceil((times[-1] + WINDOW - now).total_seconds()))
        minutes = ceil(seconds / 60)
        unit = "minute" if minutes == 1 else "minutes"
        raise TooManyAttempts(
            Sentence("Too many failed sign-ins. Try again in {minutes} {unit}.", minutes=minutes, unit=unit),
            retry_after=seconds,
        )


def password_matches(session: Session, *, name: str, password: str) -> bool:
    """Return whether this is the password of an enabled person; takes 25 ms whether or not there is such a person."""
    person = None
    if _counted_name(name) != NOT_A_NAME:
        person = session.execute(
            select(Person.password_hash, Person.disabled_at).where(Person.name == name)
        ).one_or_none()
    right = HASHER.verify(password[:PASSWORD_MAX], person.password_hash if person else dummy_hash())
    return right and len(password) <= PASSWORD_MAX and person is not None and person.disabled_at is None


def forgive(session: Session, attempt: Attempt) -> None:
    """Remove a successful attempt and the person's earlier failures from the same address.

    Failures from elsewhere go on counting: a person who signs in must not clear the way for someone who guesses.
    """
    session.execute(
        delete(SignInFailure).where(SignInFailure.name == attempt.name, SignInFailure.address == attempt.address)
    )
