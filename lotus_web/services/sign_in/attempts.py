"""Sign-in: an attempt is counted before its password is checked, so that parallel guesses are counted too.

``begin_attempt`` commits first; ``password_matches`` then takes its time outside of any write transaction; a right password
takes the count back with ``forgive``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, and_, delete, select, text, update
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.credentials import PASSWORD_MAX
from lotus_web.domain.accounts.names import check_account_name
from lotus_web.domain.errors import InvalidInput, TooManyAttempts
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.sign_in.throttle import ADDRESS_WINDOW, FREE, FREE_OF_ADDRESS, KEPT, WINDOW, wait
from lotus_web.models import Person, SignInFailure
from lotus_web.services.sign_in.passwords import HASHER, dummy_hash

NOT_A_NAME = ":"
# Attempts of all replicas wait for each other while they are counted; writers to SQLite do so anyway.
COUNTING_LOCK = 7_204_002


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in in progress, counted as failed until its password turns out to be right.

    ``address`` is the place at which it is counted: a known device, or else the address.
    """

    name: str
    address: str


def place_of(device: str | None, address: str) -> str:
    """Return where an attempt is counted: at the device on which the name has signed in before, or else at the address."""
    return address if device is None else f"device:{device}"


def begin_attempt(session: Session, *, name: str, address: str, now: datetime, device: str | None = None) -> Attempt:
    """Count an attempt; the caller commits before it checks the password.

    ``device`` is one on which this name has signed in before. Raises TooManyAttempts as domain/sign_in/throttle.py says.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": COUNTING_LOCK})
    attempt = Attempt(_counted_name(name), place_of(device, address))
    waits = [_wait(session, _at(attempt), FREE, WINDOW, now)]
    if device is None:
        waits.append(_wait(session, SignInFailure.address == address, FREE_OF_ADDRESS, ADDRESS_WINDOW, now))
    if max(waits):
        raise _slow_down(max(waits))
    session.add(SignInFailure(name=attempt.name, address=attempt.address, failed_at=now))
    session.flush()
    _forget_all_but_the_last(session, attempt)
    return attempt


def follow_clock(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Let failures that are ahead of the clock, which was set back since, count as of now: nobody waits for it to catch up."""
    ahead = (SignInFailure.address == attempt.address, SignInFailure.failed_at > now)
    session.execute(update(SignInFailure).where(*ahead).values(failed_at=now))


def _at(attempt: Attempt) -> ColumnElement[bool]:
    return and_(SignInFailure.name == attempt.name, SignInFailure.address == attempt.address)


def _wait(session: Session, where: ColumnElement[bool], free: int, window: timedelta, now: datetime) -> timedelta:
    newest = (
        select(SignInFailure.failed_at)
        .where(where, SignInFailure.failed_at > now - window)
        .order_by(SignInFailure.failed_at.desc())
        .limit(free + KEPT)
    )
    times = session.scalars(newest).all()
    return wait(len(times), times[0] if times else None, now=now, free=free)


def _forget_all_but_the_last(session: Session, attempt: Attempt) -> None:
    """Bound the table: more failures of one name at one place than make the longest wait are not kept."""
    last = select(SignInFailure.failure_id).where(_at(attempt)).order_by(SignInFailure.failure_id.desc()).limit(KEPT)
    session.execute(delete(SignInFailure).where(_at(attempt), SignInFailure.failure_id.not_in(last)))


def _slow_down(pause: timedelta) -> TooManyAttempts:
    seconds = max(1, ceil(pause.total_seconds()))
    number, unit = (seconds, "second") if seconds < 60 else (ceil(seconds / 60), "minute")
    template = "Too many failed sign-ins. Try again in {number} {unit}."
    return TooManyAttempts(
        Sentence(template, number=number, unit=unit if number == 1 else f"{unit}s"), retry_after=seconds
    )


def _counted_name(name: str) -> str:
    """Return the name to count under: all texts that cannot be a username are counted together."""
    try:
        return check_account_name(name)
    except InvalidInput:
        return NOT_A_NAME


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
    """Remove a successful attempt and the person's earlier failures at the same place.

    Failures elsewhere go on counting: a person who signs in must not clear the way for someone who guesses.
    """
    session.execute(delete(SignInFailure).where(_at(attempt)))
