"""From a loaded store to one of the wanted size: its decided runs copied into the past, its open items copied beside themselves.

A copy is a row like any other but for its ids, which get a number behind them, and its times. So a store of a million runs
takes minutes. What copies cannot be is evidence: the hash chain ends where the copies begin.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.sql.selectable import FromClause

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.models import (
    Decision,
    EventLogEntry,
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Notification,
    Operation,
    OperationPayload,
    OperationStep,
    Run,
    RunPayload,
    TenantRuntime,
    WorkflowAction,
    WorkflowItem,
)
from lotus_web.models.items import TO_ESCALATE, TO_WARN
from lotus_web.services.support import bring_up_to_date
from lotus_web.store.session import db, transaction
from lotus_web.store.types import UtcDateTime

LOADED = 10_000
OPEN_AT_MOST = 10_000
DAYS_APART = 3
FIRST_DUE = 60
DUE_A_MINUTE = 10
OWN_IDS = frozenset(
    [
        "rebalance_run_id",
        "run_id",
        "correlation_id",
        "idempotency_key",
        "trace_id",
        "subject_id",
        "event_id",
        "causation_event_id",
        "action_id",
        "decision_id",
        "notification_id",
        "dedupe_key",
        "approval_event_id",
        "created_from_event_id",
        "source_event_id",
        "source_entity_id",
        "target_entity_id",
        "operation_id",
    ]
)
SERIAL = frozenset({"log_seq", "action_seq", "decision_seq", "notification_seq", "edge_id", "history_id"})

_scratch = MetaData()
COPIES = Table("bench_copies", _scratch, Column("number", Integer, primary_key=True), Column("minutes", Integer))
SOURCES = Table(
    "bench_sources",
    _scratch,
    Column("run_id", String, primary_key=True),
    Column("trace_id", String),
    Column("workflow_id", String, index=True),
)


def loaded_runs(size: int) -> int:
    """Return how many runs are to be loaded; the rest is copied."""
    return min(size, LOADED)


def grow(size: int, *, now: datetime) -> None:
    """Bring a loaded store to ``size`` runs with an item each and as many operations; 10,000 items at most stay open."""
    db.session.remove()
    db.engine.dispose()  # SQLite leaves its journal only for a connection that is alone
    with db.engine.connect() as connection:
        _write_carelessly(connection)
        _scratch.create_all(connection)
        connection.commit()
        wanted = min(OPEN_AT_MOST, size // 10)
        _copy(connection, is_open=True, wanted=wanted, minutes_apart=1)
        have = connection.scalar(select(func.count()).select_from(Run)) or 0
        _copy(connection, is_open=False, wanted=size - have, minutes_apart=DAYS_APART * 24 * 60)
        _copy_operations(connection, size)
        _scratch.drop_all(connection)
        connection.commit()
    with transaction() as session:
        bring_up_to_date(session, DEFAULT_TENANT)
        newest = select(func.max(EventLogEntry.log_seq)).scalar_subquery()
        session.execute(update(TenantRuntime).values(last_log_seq=newest))
    _spread_due_times(now)


def _write_carelessly(connection: Connection) -> None:
    """Let the copies go to disk when they like; a store that is lost half-way is made anew."""
    if connection.dialect.name == "sqlite":
        file = connection.connection.dbapi_connection
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            file.execute(f"PRAGMA {pragma}")
        connection.detach()  # closed at the end, never given back to the pool with these settings


def _copy(connection: Connection, *, is_open: bool, wanted: int, minutes_apart: int) -> None:
    """Copy the runs whose item is open (or not) as often as it takes to have ``wanted`` more, or a few less."""
    connection.execute(SOURCES.delete())
    unresolved = WorkflowItem.resolved_at.is_(None)
    chosen = select(WorkflowItem.rebalance_run_id, WorkflowItem.trace_id, WorkflowItem.workflow_id).where(
        unresolved if is_open else ~unresolved
    )
    connection.execute(insert(SOURCES).from_select(["run_id", "trace_id", "workflow_id"], chosen))
    sources = connection.scalar(select(func.count()).select_from(SOURCES)) or 1
    label = "o" if is_open else "c"
    _number_copies(connection, wanted // sources, minutes_apart)
    run, trace, workflow = SOURCES.c.run_id, SOURCES.c.trace_id, SOURCES.c.workflow_id
    for model, name, which in (
        (Run, "rebalance_run_id", run),
        (RunPayload, "rebalance_run_id", run),
        (IdempotencyKey, "rebalance_run_id", run),
        (IdempotencyHistoryRow, "rebalance_run_id", run),
        (LineageEdge, "target_entity_id", run),
        (LineageEdge, "source_entity_id", run),
        (EventLogEntry, "trace_id", trace),
        (WorkflowAction, "workflow_id", workflow),
        (Notification, "workflow_id", workflow),
        (Decision, "workflow_id", workflow),
        (WorkflowItem, "workflow_id", workflow),
    ):
        table = model.__table__
        _insert_copies(connection, table, table.join(SOURCES, table.c[name] == which), label)


def _copy_operations(connection: Connection, wanted: int) -> None:
    have = connection.scalar(select(func.count()).select_from(Operation)) or 1
    _number_copies(connection, wanted // have, 1)
    for model in (OperationPayload, OperationStep, Operation):
        _insert_copies(connection, model.__table__, model.__table__, "c")


def _number_copies(connection: Connection, count: int, minutes_apart: int) -> None:
    connection.execute(COPIES.delete())
    rows = [{"number": number, "minutes": number * minutes_apart} for number in range(1, count + 1)]
    if rows:
        connection.execute(insert(COPIES), rows)
    connection.commit()


def _insert_copies(connection: Connection, table: FromClause, rows: FromClause, label: str) -> None:
    mark = literal(f"~{label}") + COPIES.c.number.cast(String)
    earlier = _earlier(connection.dialect.name)
    columns = [column for column in table.c if column.name not in SERIAL]
    copied = select(*(_copied(column, mark, earlier) for column in columns)).select_from(
        rows.join(COPIES, literal(True))
    )
    connection.execute(insert(table).from_select([column.name for column in columns], copied))
    connection.commit()


def _copied(
    column: ColumnElement, mark: ColumnElement, earlier: Callable[[ColumnElement], ColumnElement]
) -> ColumnElement:
    if column.name == "workflow_id":  # made of two ids (domain/identifiers.py)
        return func.replace(column, ":exception:", mark + ":exception:") + mark
    if column.name in OWN_IDS:
        return column + mark
    return earlier(column) if isinstance(column.type, UtcDateTime) else column


def _earlier(dialect: str) -> Callable[[ColumnElement], ColumnElement]:
    """Return how a stored time is moved by a copy's minutes."""
    minutes = COPIES.c.minutes
    if dialect == "postgresql":
        return lambda at: at - minutes * text("interval '1 minute'")
    by = literal("-") + minutes.cast(String) + literal(" minutes")
    # The time functions of SQLite know milliseconds; the stored text has microseconds.
    return lambda at: func.strftime("%Y-%m-%d %H:%M:%S", at, by).concat(func.substr(at, 20))


def _spread_due_times(now: datetime) -> None:
    """Let ten open items a minute fall due from an hour from now on, and nothing before; all warnings were given."""
    with transaction() as session:
        ids = session.scalars(
            select(WorkflowItem.workflow_id).where(TO_ESCALATE).order_by(WorkflowItem.workflow_id)
        ).all()
        rows = [
            {"id": workflow_id, "due": now + timedelta(minutes=FIRST_DUE + place // DUE_A_MINUTE)}
            for place, workflow_id in enumerate(ids)
        ]
        due = (
            update(WorkflowItem.__table__)
            .where(WorkflowItem.tenant_id == DEFAULT_TENANT, WorkflowItem.workflow_id == bindparam("id"))
            .values(sla_due_at=bindparam("due"))
        )
        session.execute(update(WorkflowItem).where(TO_WARN).values(risk_told=True))
        session.connection().execute(due, rows)
