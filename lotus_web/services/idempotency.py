"""Idempotency keys: reserved by a unique insert before the engine runs, mapped when its run is recorded (delta 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict, InProgress
from lotus_web.models import IdempotencyKey
from lotus_web.store.upserts import insert_into

LEASE = timedelta(seconds=60)
HASH_MISMATCH = "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"
IN_PROGRESS = "IDEMPOTENCY_KEY_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Reservation:
    """The outcome of asking for a key: ours to compute, someone's finished run, or someone else at work."""

    owned: bool
    rebalance_run_id: str | None = None


def reserve_key(
    session: Session, *, tenant_id: str, key: str, request_hash: str, owner: str, now: datetime
) -> Reservation:
    """Reserve a key for ``owner``; raises Conflict when the key belongs to another request.

    A reservation whose lease ran out (its worker died between reserve and commit) is taken over.
    """
    if _insert(session, tenant_id=tenant_id, key=key, request_hash=request_hash, owner=owner, now=now):
        return Reservation(owned=True)
    row = locked_key(session, tenant_id, key)
    if row is None:
        return Reservation(owned=False)
    expired = row.rebalance_run_id is None and row.reserved_until is not None and row.reserved_until < now
    if expired:
        row.request_hash, row.reserved_by, row.reserved_until = request_hash, owner, now + LEASE
        session.flush()
        return Reservation(owned=True)
    if row.request_hash != request_hash:
        raise Conflict(HASH_MISMATCH)
    return Reservation(owned=False, rebalance_run_id=row.rebalance_run_id)


def is_held(session: Session, *, tenant_id: str, key: str, now: datetime) -> bool:
    """Return whether somebody computes for this key now, by a look that keeps nobody waiting."""
    row = session.execute(
        select(IdempotencyKey.rebalance_run_id, IdempotencyKey.reserved_until).where(
            IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.idempotency_key == key
        )
    ).one_or_none()
    return row is not None and row.rebalance_run_id is None and row.reserved_until >= now


def _insert(session: Session, *, tenant_id: str, key: str, request_hash: str, owner: str, now: datetime) -> bool:
    statement = insert_into(session, IdempotencyKey).values(
        tenant_id=tenant_id,
        idempotency_key=key,
        request_hash=request_hash,
        created_at=now,
        reserved_by=owner,
        reserved_until=now + LEASE,
    )
    inserted = statement.on_conflict_do_nothing().returning(IdempotencyKey.idempotency_key)
    return session.execute(inserted).first() is not None


def locked_key(session: Session, tenant_id: str, key: str) -> IdempotencyKey | None:
    """Return a key's row as it is in the store now, locked."""
    query = select(IdempotencyKey).where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.idempotency_key == key)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def map_key(session: Session, *, tenant_id: str, key: str, owner: str, run_id: str, now: datetime) -> None:
    """Turn ``owner``'s reservation into the mapping to its run; raises InProgress when the lease went to another."""
    mapped = session.execute(
        update(IdempotencyKey)
        .where(
            IdempotencyKey.tenant_id == tenant_id,
            IdempotencyKey.idempotency_key == key,
            IdempotencyKey.reserved_by == owner,
        )
        .values(rebalance_run_id=run_id, created_at=now, reserved_by=None, reserved_until=None)
        .returning(IdempotencyKey.idempotency_key)
        .execution_options(synchronize_session=False)
    )
    if mapped.one_or_none() is None:
        raise InProgress(IN_PROGRESS)


def overwrite_key(session: Session, *, tenant_id: str, key: str, request_hash: str, run_id: str, now: datetime) -> None:
    """Point a key at its newest run (replay switched off, dpm-api §3.4)."""
    _insert(session, tenant_id=tenant_id, key=key, request_hash=request_hash, owner=run_id, now=now)
    row = locked_key(session, tenant_id, key)
    if row is None:
        raise InProgress(IN_PROGRESS)
    row.request_hash, row.rebalance_run_id, row.created_at = request_hash, run_id, now
    row.reserved_by = row.reserved_until = None


def release_key(session: Session, *, tenant_id: str, key: str, owner: str) -> None:
    """Free a key whose computation failed, so that the client can try again."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.tenant_id == tenant_id,
            IdempotencyKey.idempotency_key == key,
            IdempotencyKey.reserved_by == owner,
        )
    )
