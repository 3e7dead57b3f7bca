"""What an idempotency key has stood for over time: recordings and replays (RFC-0023, dpm-api §6, delta 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.models import IdempotencyHistoryRow
from lotus_web.queries.idempotency import KEY_NOT_FOUND

# A key that is replayed for ever has a history without end; the answer, which is not paged, holds the latest rows.
LATEST = 1_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One recording or replay under a key."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The latest ``LATEST`` entries of a key, oldest first by (created_at, run id, correlation id, hash)."""

    idempotency_key: str
    history: tuple[HistoryEntry, ...]


def key_history(session: Session, tenant_id: str, key: str) -> KeyHistory:
    """Return a key's history; raises NotFound ``DPM_IDEMPOTENCY_KEY_NOT_FOUND`` when it has none. One query."""
    found = find_key_history(session, tenant_id, key)
    if not found.history:
        raise NotFound(KEY_NOT_FOUND)
    return found


def find_key_history(session: Session, tenant_id: str, key: str) -> KeyHistory:
    """Return a key's history, which may be empty."""
    row = IdempotencyHistoryRow
    query = (
        select(row.rebalance_run_id, row.correlation_id, row.request_hash, row.created_at)
        .where(row.tenant_id == tenant_id, row.idempotency_key == key)
        .order_by(row.created_at.desc(), row.history_id.desc())
        .limit(LATEST)
    )
    entries = [HistoryEntry(*found) for found in session.execute(query)]
    entries.sort(key=lambda entry: (entry.created_at, entry.rebalance_run_id, entry.correlation_id, entry.request_hash))
    return KeyHistory(key, tuple(entries))
