"""The history of an idempotency key: recordings and replays (RFC-0023, dpm-api §6, delta 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.models import IdempotencyHistoryRow
from lotus_web.queries.idempotency.keys import KEY_NOT_FOUND

_ROW = IdempotencyHistoryRow
_ENTRY = (_ROW.rebalance_run_id, _ROW.correlation_id, _ROW.request_hash, _ROW.created_at)
_ORDER = (_ROW.created_at, _ROW.rebalance_run_id, _ROW.correlation_id, _ROW.request_hash)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One recording or replay under a key."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """Every entry of a key, oldest first by (created_at, run id, correlation id, hash)."""

    idempotency_key: str
    history: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True)
class LatestOfKey:
    """The latest entries of a key, newest first, of ``total``; ``recorded_before`` are runs whose recording is older than all of them."""

    idempotency_key: str
    latest: tuple[HistoryEntry, ...]
    total: int
    recorded_before: frozenset[str]


def key_history(session: Session, tenant_id: str, key: str) -> KeyHistory:
    """Return a key's history; raises NotFound ``DPM_IDEMPOTENCY_KEY_NOT_FOUND`` when it has none. One query."""
    found = find_key_history(session, tenant_id, key)
    if not found.history:
        raise NotFound(KEY_NOT_FOUND)
    return found


def find_key_history(session: Session, tenant_id: str, key: str) -> KeyHistory:
    """Return a key's history, which may be empty."""
    return KeyHistory(key, _entries(session, select(*_ENTRY).where(*_of_key(tenant_id, key)).order_by(*_ORDER)))


def latest_of_key(session: Session, tenant_id: str, key: str, *, limit: int) -> LatestOfKey:
    """Return at most ``limit`` entries for a page; raises NotFound ``DPM_IDEMPOTENCY_KEY_NOT_FOUND``. Three queries at most."""
    of_key = _of_key(tenant_id, key)
    newest_first = select(*_ENTRY).where(*of_key).order_by(*(column.desc() for column in _ORDER)).limit(limit)
    latest = _entries(session, newest_first)
    if not latest:
        raise NotFound(KEY_NOT_FOUND)
    if len(latest) < limit:
        return LatestOfKey(key, latest, len(latest), frozenset())
    total = session.scalar(select(func.count()).select_from(_ROW).where(*of_key)) or 0
    runs = {entry.rebalance_run_id for entry in latest}
    first = select(_ROW.rebalance_run_id).where(_ROW.tenant_id == tenant_id, _ROW.rebalance_run_id.in_(runs))
    begun = first.group_by(_ROW.rebalance_run_id).having(func.min(_ROW.created_at) < latest[-1].created_at)
    return LatestOfKey(key, latest, total, frozenset(session.scalars(begun)))


def _of_key(tenant_id: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return _ROW.tenant_id == tenant_id, _ROW.idempotency_key == key


def _entries(session: Session, query: Select[str, str, str, datetime]) -> tuple[HistoryEntry, ...]:
    return tuple(HistoryEntry(*row) for row in session.execute(query))
