"""Housekeeping: removes expired sessions, sign-in failures, answered challenges, key reservations and done deliveries, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.models import AnsweredChallenge, Delivery, IdempotencyKey, PersonSession, SignInFailure
from lotus_web.models.deliveries import DONE

BATCH = 500
KEEP_ENDED_SESSIONS = timedelta(days=30)
KEEP_FAILURES = timedelta(days=1)
KEEP_EXPIRED = timedelta(hours=1)
KEEP_DELIVERED = timedelta(days=30)


class Purge(Protocol):
    """Removes at most one batch and returns how many rows."""

    def __call__(self, session: Session, *, now: datetime) -> int: ...


def purge_sessions(session: Session, *, now: datetime) -> int:
    """Remove sessions that ended more than 30 days ago."""
    old = (
        select(PersonSession.session_hash)
        .where(PersonSession.expires_at < now - KEEP_ENDED_SESSIONS)
        .order_by(PersonSession.expires_at)
        .limit(BATCH)
    )
    gone = delete(PersonSession).where(PersonSession.session_hash.in_(old)).returning(PersonSession.session_hash)
    return len(session.execute(gone).all())


def purge_sign_in_failures(session: Session, *, now: datetime) -> int:
    """Remove failed sign-ins that no longer slow anyone down."""
    old = (
        select(SignInFailure.failure_id)
        .where(SignInFailure.failed_at < now - KEEP_FAILURES)
        .order_by(SignInFailure.failed_at)
        .limit(BATCH)
    )
    gone = delete(SignInFailure).where(SignInFailure.failure_id.in_(old)).returning(SignInFailure.failure_id)
    return len(session.execute(gone).all())


def purge_reservations(session: Session, *, now: datetime) -> int:
    """Remove key reservations whose lease expired over an hour ago and that nobody took over."""
    # The DELETE repeats the condition: a reservation may be taken over between the two reads.
    expired = (IdempotencyKey.rebalance_run_id.is_(None), IdempotencyKey.reserved_until < now - KEEP_EXPIRED)
    key = tuple_(IdempotencyKey.tenant_id, IdempotencyKey.idempotency_key)
    old = (
        select(IdempotencyKey.tenant_id, IdempotencyKey.idempotency_key)
        .where(*expired)
        .order_by(IdempotencyKey.reserved_until)
        .limit(BATCH)
    )
    gone = delete(IdempotencyKey).where(*expired, key.in_(old)).returning(IdempotencyKey.idempotency_key)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())


def purge_deliveries(session: Session, *, now: datetime) -> int:
    """Remove deliveries that were done more than 30 days ago; those that wait or were given up stay."""
    old = (
        select(Delivery.delivery_seq)
        .where(DONE, Delivery.finished_at < now - KEEP_DELIVERED)
        .order_by(Delivery.finished_at)
        .limit(BATCH)
    )
    gone = delete(Delivery).where(Delivery.delivery_seq.in_(old))
    return len(session.execute(gone.returning(Delivery.delivery_seq)).all())


def purge_challenges(session: Session, *, now: datetime) -> int:
    """Remove answered challenges that nobody could answer again, since they have expired."""
    old = (
        select(AnsweredChallenge.challenge_hash)
        .where(AnsweredChallenge.expires_at < now - KEEP_EXPIRED)
        .order_by(AnsweredChallenge.expires_at)
        .limit(BATCH)
    )
    gone = delete(AnsweredChallenge).where(AnsweredChallenge.challenge_hash.in_(old))
    return len(session.execute(gone.returning(AnsweredChallenge.challenge_hash)).all())


PURGES: Mapping[str, Callable[..., int] | Purge] = {
    "sessions": purge_sessions,
    "sign_in_failures": purge_sign_in_failures,
    "reservations": purge_reservations,
    "deliveries": purge_deliveries,
    "challenges": purge_challenges,
}
