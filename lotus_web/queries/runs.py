"""Runs: the list, and one run by id, correlation, request or key (RFC-0017 §4.1, dpm-api §6). Every read is one query."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.domain.paging import Page, decode_cursor, encode_cursor, instant_part, part_instant
from lotus_web.models import Run, RunPayload

RUN_NOT_FOUND = "DPM_RUN_NOT_FOUND"
_POSITION = (str, str)
_NEWEST = (Run.created_at.desc(), Run.rebalance_run_id.desc())
_ROW = (
    Run.rebalance_run_id,
    Run.correlation_id,
    Run.request_hash,
    Run.idempotency_key,
    Run.portfolio_id,
    Run.status,
    Run.created_at,
)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; None leaves a thing open, an empty text is a value that no run has. Bounds are inclusive."""

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


def run_page(session: Session, tenant_id: str, wanted: RunFilter, *, limit: int, cursor: str | None) -> Page[RunRow]:
    """Return a page, newest first by (created_at, id); raises InvalidInput ``INVALID_CURSOR``."""
    conditions = _conditions(tenant_id, wanted)
    if cursor is not None:
        created_at, run_id = decode_cursor(cursor, kinds=_POSITION)
        conditions.append(tuple_(Run.created_at, Run.rebalance_run_id) < (part_instant(created_at), run_id))
    query = select(*_ROW).where(*conditions).order_by(*_NEWEST).limit(limit + 1)
    rows = [RunRow(*row) for row in session.execute(query)]
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    last = rows[limit - 1]
    return Page(tuple(rows[:limit]), encode_cursor((instant_part(last.created_at), last.rebalance_run_id)))


def _conditions(tenant_id: str, wanted: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Run.tenant_id == tenant_id]
    exact = {
        Run.status: wanted.status,
        Run.request_hash: wanted.request_hash,
        Run.portfolio_id: wanted.portfolio_id,
    }
    found += [column == value for column, value in exact.items() if value is not None]
    if wanted.created_from is not None:
        found.append(Run.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        found.append(Run.created_at <= wanted.created_to)
    return found


def stored_run(session: Session, tenant_id: str, run_id: str) -> StoredRun:
    """Return a run by its id; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    return _stored(session, _with_result().where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id))


def latest_by_correlation(session: Session, tenant_id: str, correlation_id: str) -> StoredRun:
    """Return the newest run of a correlation id by (created_at, id) (delta 5); raises NotFound."""
    found = _with_result().where(Run.tenant_id == tenant_id, Run.correlation_id == correlation_id)
    return _stored(session, found.order_by(*_NEWEST).limit(1))


def latest_by_request_hash(session: Session, tenant_id: str, request_hash: str) -> StoredRun:
    """Return the newest run of a request hash by (created_at, id); raises NotFound."""
    found = _with_result().where(Run.tenant_id == tenant_id, Run.request_hash == request_hash)
    return _stored(session, found.order_by(*_NEWEST).limit(1))


def run_id_of_correlation(session: Session, tenant_id: str, correlation_id: str) -> str:
    """Return the id of the newest run of a correlation id; raises NotFound ``DPM_RUN_NOT_FOUND``."""
    query = (
        select(Run.rebalance_run_id)
        .where(Run.tenant_id == tenant_id, Run.correlation_id == correlation_id)
        .order_by(*_NEWEST)
        .limit(1)
    )
    run_id = session.scalar(query)
    if run_id is None:
        raise NotFound(RUN_NOT_FOUND)
    return run_id


def _with_result() -> Select[str, str, str, str | None, str, str, datetime, bytes]:
    same_run = (RunPayload.tenant_id == Run.tenant_id) & (RunPayload.rebalance_run_id == Run.rebalance_run_id)
    return select(*_ROW, RunPayload.result).join(RunPayload, same_run)


def _stored(session: Session, query: Select[str, str, str, str | None, str, str, datetime, bytes]) -> StoredRun:
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound(RUN_NOT_FOUND)
    facts: tuple[Any, ...] = found[:-1]
    return StoredRun(RunRow(*facts), zlib.decompress(found.result))
