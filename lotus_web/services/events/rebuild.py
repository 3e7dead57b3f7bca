"""Rebuilding the inbox from the log and the manual actions, or checking that it equals what is stored (workflow.md §1).

Items belong to traces, so traces are folded apart, a batch of them at a time: memory and locks do not grow with the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lotus_web.domain.canonical import is_same_json
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.events.facts import NO_TRACE
from lotus_web.domain.events.projection import ABOUT_ITEMS
from lotus_web.domain.events.rebuild import RebuildResult, rebuild_trace
from lotus_web.domain.items.state import ItemState, Origin
from lotus_web.models import EventLogEntry, Notification, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import EVENT_COLUMNS, action_record, logged_event
from lotus_web.services.events.item_rows import action_columns, item_columns, notice_columns
from lotus_web.services.events.log import lock_tenant
from lotus_web.store.session import see_one_moment
from lotus_web.store.types import Base

TRACES_A_BATCH = 200
FOLDED = (EventType.TRACE_STARTED.value, *ABOUT_ITEMS)
# Columns of notices that rows of versions before 0013 do not have.
CODED = frozenset({"code", "params"})
# What no event tells: the place among all rows.
NOT_COMPARED = frozenset({"action_seq", "notification_seq"})
COMPARED: Mapping[type[Base], list[str]] = {
    model: [column.key for column in model.__mapper__.column_attrs if column.key not in NOT_COMPARED]
    for model in (WorkflowAction, Notification)
}


@dataclass(frozen=True, slots=True)
class RebuiltBatch:
    """What one batch of traces gave; ``upto`` is where the next begins, None after the last."""

    upto: str | None
    items: int
    differences: tuple[str, ...]


def check_batch(session: Session, tenant_id: str, *, after: str = "") -> RebuiltBatch:
    """Compare the next traces after ``after`` with their history; writes nothing."""
    see_one_moment(session)
    return _batch(session, tenant_id, after, write=False)


def trace_bounds(session: Session, tenant_id: str, parts: int) -> tuple[str, ...]:
    """Return the traces that part a tenant's into about equal spans, each the last of its own; none where there are few traces."""
    of_tenant = EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_seq == 0, EventLogEntry.trace_id != NO_TRACE
    count = session.scalar(select(func.count()).select_from(EventLogEntry).where(*of_tenant)) or 0
    step = count // parts // TRACES_A_BATCH * TRACES_A_BATCH
    if step == 0:
        return ()
    place = func.row_number().over(order_by=EventLogEntry.trace_id).label("place")
    numbered = select(EventLogEntry.trace_id, place).where(*of_tenant).subquery()
    ends = numbered.c.place % step == 0, numbered.c.place <= count - step
    return tuple(session.scalars(select(numbered.c.trace_id).where(*ends).order_by(numbered.c.place)))


def rebuild_batch(session: Session, tenant_id: str, *, after: str = "") -> RebuiltBatch:
    """Make the items of the next traces what their history says, and add event actions and notices that are missing."""
    lock_tenant(session, tenant_id)
    return _batch(session, tenant_id, after, write=True)


def _batch(session: Session, tenant_id: str, after: str, *, write: bool) -> RebuiltBatch:
    upto = _upto(session, tenant_id, after)
    span = _Span(session, tenant_id, after, upto)
    folded = span.rebuilt()
    stored_items = {row.workflow_id: row for row in span.rows(WorkflowItem, WorkflowItem.workflow_id)}
    differences = [
        *folded.inconsistencies,
        *_items(session, folded.items, stored_items, write=write),
        *_actions(session, folded, span.event_actions(), write=write),
        *_notices(session, tenant_id, folded, write=write),
    ]
    session.flush()
    return RebuiltBatch(upto, len(folded.items), tuple(differences))


def _upto(session: Session, tenant_id: str, after: str) -> str | None:
    query = select(EventLogEntry.trace_id).where(
        EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_seq == 0, EventLogEntry.trace_id > after
    )
    traces = session.scalars(query.order_by(EventLogEntry.trace_id).limit(TRACES_A_BATCH)).all()
    return traces[-1] if len(traces) == TRACES_A_BATCH else None


@dataclass(frozen=True, slots=True)
class _Span:
    """The rows of a tenant whose traces lie after one id and up to another."""

    session: Session
    tenant_id: str
    after: str
    upto: str | None

    def rows(
        self, model: type[Any], *order: InstrumentedAttribute[Any], where: Iterable[ColumnElement[bool]] = ()
    ) -> Any:
        return self.session.scalars(self._of_span(select(model), model, *order, where=where))

    def events(self) -> Any:
        """Return what the fold reads of the events, trace after trace in their order."""
        only = (EventLogEntry.event_type.in_(FOLDED),)
        query = select(*EVENT_COLUMNS)
        return self.session.execute(self._of_span(query, EventLogEntry, EventLogEntry.trace_seq, where=only))

    def _of_span(self, query: Any, model: Any, *order: Any, where: Iterable[ColumnElement[bool]]) -> Any:
        query = query.where(model.tenant_id == self.tenant_id, model.trace_id > self.after, *where)
        if self.upto is not None:
            query = query.where(model.trace_id <= self.upto)
        return query.order_by(model.trace_id, *order).execution_options(populate_existing=True)

    def rebuilt(self) -> RebuildResult:
        """Fold every trace of the span."""
        events = groupby(self.events(), lambda row: str(row.trace_id))
        manual: dict[str, list[Any]] = {}
        order = (WorkflowAction.after_log_seq, WorkflowAction.action_seq)
        for row in self.rows(WorkflowAction, *order, where=(WorkflowAction.origin == Origin.MANUAL.value,)):
            manual.setdefault(row.trace_id, []).append(action_record(row))
        whole = RebuildResult()
        for trace_id, entries in events:
            _join(whole, rebuild_trace(map(logged_event, entries), manual.pop(trace_id, [])))
        for actions in manual.values():
            _join(whole, rebuild_trace([], actions))
        return whole

    def event_actions(self) -> dict[str, WorkflowAction]:
        """Return the stored actions that an event of the log recorded."""
        only = (WorkflowAction.origin == Origin.EVENT.value,)
        return {row.action_id: row for row in self.rows(WorkflowAction, WorkflowAction.action_seq, where=only)}


def _join(whole: RebuildResult, part: RebuildResult) -> None:
    whole.items |= part.items
    whole.actions |= part.actions
    whole.notices |= part.notices
    whole.inconsistencies += part.inconsistencies


def _items(
    session: Session, expected: dict[str, ItemState], stored: dict[str, WorkflowItem], *, write: bool
) -> Iterator[str]:
    for workflow_id, state in expected.items():
        row, columns = stored.get(workflow_id), item_columns(state)
        wrong = None if row is None else _wrong_columns(row, columns)
        if row is None:
            yield f"item {workflow_id}: it is missing"
        elif wrong:
            yield f"item {workflow_id}: {', '.join(wrong)} differ from its history"
        if write and row is None:
            session.add(WorkflowItem(**columns))
        elif write and row is not None:
            for name in wrong or ():
                setattr(row, name, columns[name])
    for workflow_id in sorted(stored.keys() - expected.keys()):
        yield f"item {workflow_id}: no event opened it"
        if write:
            tenant_id = stored[workflow_id].tenant_id
            session.execute(
                delete(WorkflowItem).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == workflow_id)
            )


def _actions(
    session: Session, folded: RebuildResult, stored: dict[str, WorkflowAction], *, write: bool
) -> Iterator[str]:
    for action_id, record in folded.actions.items():
        row, values = stored.get(action_id), action_columns(record)
        yield from _compared(session, f"action {action_id}", WorkflowAction, values, row, write=write)
    for action_id in sorted(stored.keys() - folded.actions.keys()):
        yield f"action {action_id}: no event matches it, and it cannot be removed"


def _notices(session: Session, tenant_id: str, folded: RebuildResult, *, write: bool) -> Iterator[str]:
    keys = sorted(folded.notices)
    stored: dict[str, Notification] = {}
    for start in range(0, len(keys), TRACES_A_BATCH):
        query = select(Notification).where(
            Notification.tenant_id == tenant_id, Notification.dedupe_key.in_(keys[start : start + TRACES_A_BATCH])
        )
        stored |= {row.dedupe_key: row for row in session.scalars(query)}
    for key, notice in folded.notices.items():
        values = notice_columns(notice)
        yield from _compared(session, f"notification {key}", Notification, values, stored.get(key), write=write)


def _compared(
    session: Session, what: str, model: type[Base], expected: dict[str, Any], stored: Base | None, *, write: bool
) -> Iterator[str]:
    """Compare a row of an append-only table; a missing one can be added, a wrong one only be named."""
    if stored is None:
        yield f"{what}: it is missing"
        if write:
            session.add(model(**expected))
        return
    names = COMPARED[model]
    if isinstance(stored, Notification) and stored.code is None:
        names = [name for name in names if name not in CODED]
    wrong = _wrong_columns(stored, {name: expected.get(name) for name in names})
    if wrong:
        yield f"{what}: {', '.join(wrong)} differ from its history, and it cannot be changed"


def _wrong_columns(row: Base, expected: dict[str, Any]) -> list[str]:
    return [name for name, value in expected.items() if not is_same_json(getattr(row, name), value)]
