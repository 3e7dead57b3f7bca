"""Runs: the list, and one run by id, correlation, request or key (RFC-0017 §4.1, dpm-api §6). Every read is one query, or one a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import RunNotFound
from lotus_web.domain.paging import Page
from lotus_web.models import Run, RunPayload
from lotus_web.queries import conditions, keyset
from lotus_web.wire.packed import unpack

EXPORT_BATCH = 500
# These are the most frequent reads, and building a statement costs ten times what running it does. So all are on the bare
# tables, and those of one run are built once.
_run, _payload = Run.__table__.c, RunPayload.__table__.c
_NEWEST = keyset.Order(_run.created_at, _run.rebalance_run_id, descending=True)
_ROW = (
    _run.rebalance_run_id,
    _run.correlation_id,
    _run.request_hash,
    _run.idempotency_key,
    _run.portfolio_id,
    _run.status,
    _run.created_at,
)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; a field that is None filters nothing, an empty text matches no run. Bounds are inclusive."""

    status: str | None = None
    request_hash: str | None = None
    portfolio_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run without its payloads."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    idempotency_key: str | None
    portfolio_id: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and its result as the JSON bytes that were stored."""

    row: RunRow
    result: bytes


def run_page(session: Session, tenant_id: str, filters: RunFilter, *, limit: int, cursor: str | None) -> Page[RunRow]:
    """Return a page, newest first by (created_at, id); raises InvalidInput ``INVALID_CURSOR``."""
    query = select(*_ROW).where(*_conditions(tenant_id, filters))
    return keyset.page(session, query, _NEWEST, row=lambda found: RunRow(*found), limit=limit, cursor=cursor)


def all_runs(session: Session, tenant_id: str, filters: RunFilter) -> Iterator[RunRow]:
    """Yield every matching run, newest first, a batch at a time, for the export."""
    return keyset.all_rows(
        session, lambda cursor: run_page(session, tenant_id, filters, limit=EXPORT_BATCH, cursor=cursor)
    )


def _conditions(tenant_id: str, filters: RunFilter) -> list[ColumnElement[bool]]:
    exact = {
        _run.status: filters.status,
        _run.request_hash: filters.request_hash,
        _run.portfolio_id: filters.portfolio_id,
    }
    return [
        _run.tenant_id == tenant_id,
        *conditions.equal(exact),
        *conditions.between(_run.created_at, filters.created_from, filters.created_to),
    ]


_of_run = (_payload.tenant_id == _run.tenant_id) & (_payload.rebalance_run_id == _run.rebalance_run_id)
_ID = _run.rebalance_run_id


def _newest_where(column: ColumnElement[str], *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    found = select(*columns).where(_run.tenant_id == bindparam("tenant_id"), column == bindparam("named"))
    return found.order_by(_run.created_at.desc(), _ID.desc()).limit(1)


def _with_result(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.join_from(Run.__table__, RunPayload.__table__, _of_run)


_BY_ID = _with_result(_newest_where(_ID, *_ROW, _payload.result))
_BY_CORRELATION = _with_result(_newest_where(_run.correlation_id, *_ROW, _payload.result))
_BY_REQUEST_HASH = _with_result(_newest_where(_run.request_hash, *_ROW, _payload.result))
_ID_BY_CORRELATION = _newest_where(_run.correlation_id, _ID)
_CORRELATION_BY_ID = _newest_where(_ID, _run.correlation_id)


def stored_run(session: Session, tenant_id: str, run_id: str) -> StoredRun:
    """Return a run by its id; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    return _stored(session, _BY_ID, tenant_id, run_id)


def latest_by_correlation(session: Session, tenant_id: str, correlation_id: str) -> StoredRun:
    """Return the newest run of a correlation id by (created_at, id) (delta 5); raises NotFound."""
    return _stored(session, _BY_CORRELATION, tenant_id, correlation_id)


def latest_by_request_hash(session: Session, tenant_id: str, request_hash: str) -> StoredRun:
    """Return the newest run of a request hash by (created_at, id); raises NotFound."""
    return _stored(session, _BY_REQUEST_HASH, tenant_id, request_hash)


def run_id_of_correlation(session: Session, tenant_id: str, correlation_id: str) -> str:
    """Return the id of the newest run of a correlation id; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    return _text(session, _ID_BY_CORRELATION, tenant_id, correlation_id)


def correlation_of_run(session: Session, tenant_id: str, run_id: str) -> str:
    """Return the correlation id of a run; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    return _text(session, _CORRELATION_BY_ID, tenant_id, run_id)


def _text(session: Session, query: Select[*tuple[Any, ...]], tenant_id: str, named: str) -> str:
    found: str | None = session.scalar(query, {"tenant_id": tenant_id, "named": named})
    if found is None:
        raise RunNotFound
    return found


def _stored(session: Session, query: Select[*tuple[Any, ...]], tenant_id: str, named: str) -> StoredRun:
    found = session.execute(query, {"tenant_id": tenant_id, "named": named}).one_or_none()
    if found is None:
        raise RunNotFound
    facts: tuple[Any, ...] = found[:-1]
    return StoredRun(RunRow(*facts), unpack(found.result))
