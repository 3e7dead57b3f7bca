"""Purging what has expired, a bounded batch at a time, each purge logged (dpm-api §10.2, delta 16).

A batch is chosen without a lock, then checked again and removed under one: a legal hold set or an item opened in between wins.
What has more dependents than a batch may hold loses them in chunks first: each replay of a key adds a row and an edge to its run,
without end (delta 4).
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, Select, delete, func, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.surface import Surface
from lotus_web.models import RetentionEntry
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.retention.targets import Column, Dependents, Purgeable, Target
from lotus_web.services.support import count

RETENTION = "retention"
PURGE_BEGUN = "PURGE_BEGUN"
BEGUN = "It has so many dependent rows that they are removed first, in chunks; the retention log records its purge."
# How many dependents are chosen at a time, for many chunks: choosing may have to sort all that there are.
CHOSEN = 20_000
READ_AT_ONCE = 50
Position = tuple[Any, ...]


class Removed(Tally[str]):
    """How many rows of each kind were removed, by their reported name; batches add up."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The ids that may go next, oldest first, how many rows go with them, and after which position to look for more."""

    ids: tuple[str, ...]
    rows: int
    last: Position


def tenants_with(session: Session, purgeable: Purgeable) -> Iterator[str]:
    """Yield each tenant that has such things, one key look-up each."""
    tenant = purgeable.model.tenant_id
    tenant_id = session.scalar(select(func.min(tenant)))
    while tenant_id is not None:
        yield tenant_id
        tenant_id = session.scalar(select(func.min(tenant)).where(tenant > tenant_id))


def find_expired(session: Session, target: Target, *, after: Position | None, rows: int) -> Candidates | None:
    """Return the next to purge after a position: as many as have ``rows`` rows together, or one that alone has more.

    None when there are no more. Takes no lock.
    """
    order = target.purgeable.oldest_first
    query = select(*order).where(target.expired())
    if after is not None:
        query = query.where(tuple_(*order) > after)
    found = session.execute(query.order_by(*order).limit(max(1, rows // target.purgeable.rows_each))).all()
    if not found:
        return None
    ids = tuple(row[1] for row in found)
    sizes = count_dependents(session, target, ids)
    fitting = fit_to_budget(sizes, rows)
    return Candidates(ids[:fitting], sum(sizes[:fitting]), tuple(found[fitting - 1]))


def count_dependents(session: Session, target: Target, ids: Sequence[str]) -> list[int]:
    """Return how many rows are removed or written for each id, at most: one index read for each kind of dependents."""
    rows: Tally[str] = Tally(dict.fromkeys(ids, target.purgeable.rows_each))
    for dependents in target.purgeable.dependents:
        if not dependents.single:
            column = dependents.id_column
            query = select(column, func.count()).where(target.match(dependents, ids)).group_by(column)
            rows.update(dict(session.execute(query).all()))
    return [rows[entity_id] for entity_id in ids]


def fit_to_budget(sizes: Sequence[int], rows: int) -> int:
    """Return how many from the start have at most ``rows`` rows together, and at least one."""
    return max(1, sum(total <= rows for total in accumulate(sizes)))


def prefetch(session: Session, target: Target, ids: Sequence[str]) -> None:
    """Read everything that goes with these ids, so that a cold disk is waited for here and not under the lock.

    Holds only a few rows in memory at a time.
    """
    for dependents in target.purgeable.dependents:
        query = select(*dependents.model.__table__.columns).where(target.match(dependents, ids))
        for _ in session.execute(query.execution_options(yield_per=READ_AT_ONCE)):
            pass


def purge_batch(session: Session, target: Target, ids: Sequence[str]) -> Removed:
    """Remove those of the ids that may still go, with their dependents; returns how many rows of each kind went."""
    # The edge between a run and its operation goes with whichever goes first: one purge of a tenant at a time.
    lock_tenant(session, target.tenant_id)
    found = session.execute(_still_expired(target, ids, *target.purgeable.logged)).all()
    if not found:
        return Removed()
    _log_purged(session, target, found)
    removed, going = Removed(), [row[0] for row in found]
    for dependents in target.purgeable.dependents:
        rows = _delete(session, target, dependents, target.match(dependents, going))
        if dependents.reported_as:
            removed[dependents.reported_as] += rows
    return removed


def choose_chunk(session: Session, target: Target, entity_id: str, dependents: Dependents) -> list[int]:
    """Return the primary keys of the newest ``CHOSEN`` dependents of one kind, without a lock.

    Newest first, so that of a run that is put under hold meanwhile its own recording remains.
    """
    *_, key = order = dependents.newest_first
    query = select(key).where(target.match(dependents, [entity_id])).order_by(*(column.desc() for column in order))
    return list(session.scalars(query.limit(CHOSEN)))


def purge_chunk(
    session: Session, target: Target, entity_id: str, dependents: Dependents, keys: Sequence[int], *, first: bool
) -> Removed:
    """Remove some dependents of what may still go; empty if it may not. The first chunk is noted in the audit log."""
    lock_tenant(session, target.tenant_id)
    if session.execute(_still_expired(target, [entity_id])).first() is None:
        return Removed()
    if first:
        _audit_begun(session, target, entity_id)
    rows = _delete(session, target, dependents, dependents.newest_first[-1].in_(keys))
    return Removed({str(dependents.reported_as): rows})


def _still_expired(target: Target, ids: Sequence[str], *columns: Column) -> Select[*tuple[Any, ...]]:
    """Select and lock those of the ids that may still go: the id, then the columns."""
    purgeable = target.purgeable
    query = select(purgeable.id_column, *columns).where(purgeable.id_column.in_(ids), target.expired())
    return query.with_for_update(of=purgeable.model)


def _delete(session: Session, target: Target, dependents: Dependents, rows: ColumnElement[bool]) -> int:
    """Remove rows, take them off their counter, and return how many there were."""
    statement = delete(dependents.model).where(rows).execution_options(synchronize_session=False)
    if dependents.counted is None:
        done = session.execute(statement)
        return done.rowcount if isinstance(done, CursorResult) else 0
    counter, value = dependents.counted
    values = session.execute(statement.returning(value)).scalars().all()
    for counted, number in Tally(values).items():
        if counted is not None:
            count(session, target.tenant_id, counter, counted, -number)
    return len(values)


def _log_purged(session: Session, target: Target, found: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Add a line to the retention log for each row of ``_still_expired``."""
    names = [column.key for column in target.purgeable.logged]
    line = {
        "tenant_id": target.tenant_id,
        "entry_type": target.purgeable.entry_type.value,
        "actor_id": RETENTION,
        "reason": None,
        "recorded_at": target.now,
    }
    lines = [line | {"entity_id": row[0], "details": dict(zip(names, row[1:], strict=True))} for row in found]
    session.add_all(RetentionEntry(**one) for one in lines)
    session.flush()


def _audit_begun(session: Session, target: Target, entity_id: str) -> None:
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=Actor(ActorType.SYSTEM, RETENTION, target.tenant_id, frozenset()),
        action=RETENTION,
        subject=entity_id,
        code=PURGE_BEGUN,
        message=BEGUN,
        surface=Surface.RETENTION,
        now=target.now,
    )
