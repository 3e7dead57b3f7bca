"""The owner of the database, who edits, removes, adds and exchanges rows: no trigger, key, check or reference holds them.

What they can do follows from the tables themselves, so that a new table or column is tried without anybody thinking of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    CursorResult,
    Integer,
    LargeBinary,
    Row,
    Table,
    UniqueConstraint,
    and_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lotus_web.store.types import CanonicalJson, SentJson, UtcDateTime

Values = Mapping[str, Any]
Attack = Callable[[Session], None]
ROWS = 400


@dataclass(frozen=True)
class Attempt:
    """Something that was done to a table: ``verb`` and the column, empty for whole rows."""

    verb: str
    table: str
    column: str
    do: Attack

    def __str__(self) -> str:
        return f"{self.verb} {self.table}{'.' if self.column else ''}{self.column}"


@contextmanager
def owner(session: Session) -> Iterator[None]:
    """Switch off what guards the rows, for the open transaction."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
        yield
        return
    for name in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        session.execute(text(f'DROP TRIGGER "{name}"'))
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    session.execute(text("PRAGMA ignore_check_constraints = ON"))
    yield
    session.execute(text("PRAGMA ignore_check_constraints = OFF"))


def attempts(session: Session, table: Table) -> Iterator[Attempt]:
    """Yield everything to try on a table: each column edited and exchanged, a row removed and one added."""
    rows = session.execute(select(table).limit(ROWS)).all()
    assert rows, f"there is no row of {table.name} to attack"
    first, last = rows[0], rows[-1]
    for row in {id(first): first, id(last): last}.values():
        yield Attempt("delete", table.name, "", lambda s, row=row: _delete(s, table, row))
    yield Attempt("insert", table.name, "", lambda s: _insert(s, table, last))
    for column in table.columns:
        shown = [row for row in rows if row._mapping[column] is not None] or [first]
        for new in _others(shown[-1]._mapping[column], column):
            yield Attempt(
                "edit", table.name, column.name, lambda s, c=column, row=shown[-1], new=new: _edit(s, c, row, new)
            )
        pair = _unlike(rows, column)
        if pair is not None:
            yield Attempt("exchange", table.name, column.name, lambda s, c=column, two=pair: _exchange(s, c, *two))


def attempted(session: Session, attempt: Attempt, found: Callable[[Session], bool]) -> str:
    """Carry out an attempt, look, and undo it: ``refused`` by the store, ``found``, or ``undetected``."""
    with session.begin_nested() as undo:
        try:
            with session.begin_nested():
                attempt.do(session)
        except DBAPIError:
            undo.rollback()
            return "refused"
        session.expire_all()
        told = found(session)
        undo.rollback()
    return "found" if told else "undetected"


def _place(table: Table, values: Values) -> Any:
    return and_(*(column == values[column.name] for column in table.primary_key))


def _values(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _update(session: Session, table: Table, at: Values, values: Values) -> None:
    done = session.execute(table.update().where(_place(table, at)).values(dict(values)))
    assert isinstance(done, CursorResult)
    assert done.rowcount == 1


def _edit(session: Session, column: Column[Any], row: Row[Any], new: Any) -> None:
    _update(session, column.table, _values(row), {column.name: new})


def _exchange(session: Session, column: Column[Any], one: Row[Any], other: Row[Any]) -> None:
    """Exchange a column of two rows; by a third value, since it may have to be unique."""
    table, name = column.table, column.name
    a, b = _values(one), _values(other)
    between = _others(a[name] if a[name] is not None else b[name], column)[0]
    _update(session, table, a, {name: between})
    _update(session, table, b, {name: a[name]})
    _update(session, table, {**a, name: between}, {name: b[name]})


def _delete(session: Session, table: Table, row: Row[Any]) -> None:
    session.execute(table.delete().where(_place(table, _values(row))))


def _insert(session: Session, table: Table, row: Row[Any]) -> None:
    """Add a copy of a row under other keys."""
    unique = {column.name for column in table.primary_key} | {
        column.name
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
        for column in constraint.columns
    }
    values = _values(row)
    for name in unique - {"tenant_id"}:
        values[name] = _others(values[name], table.columns[name])[0]
    session.execute(table.insert().values(values))


def _unlike(rows: Sequence[Row[Any]], column: Column[Any]) -> tuple[Row[Any], Row[Any]] | None:
    """Return two rows that differ in a column, of one tenant where they have any."""
    first = rows[-1]
    for row in rows:
        same = "tenant_id" not in column.table.columns or row._mapping["tenant_id"] == first._mapping["tenant_id"]
        if (same or column.name == "tenant_id") and row._mapping[column] != first._mapping[column]:
            return first, row
    return None


def _others(value: Any, column: Column[Any]) -> list[Any]:
    """Return other values that a column can have: null too, where it may be."""
    nothing = [None] if column.nullable and value is not None else []
    match value:
        case bool():
            return [not value, *nothing]
        case int():
            return [value + 100_003, *nothing]
        case str():
            return [value + "x", *nothing]
        case bytes():
            return [value + b"x", *nothing]
        case datetime():
            return [value + timedelta(days=1), *nothing]
        case dict():
            return [{**value, "edited": "x"}, *nothing]
        case list():
            return [[*value, "x"], *nothing]
    return [_some(column)]


def _some(column: Column[Any]) -> Any:
    """Return a value for a column that is null."""
    match column.type:
        case UtcDateTime():
            return datetime(2026, 3, 2, 9, tzinfo=UTC)
        case CanonicalJson() | SentJson():
            return {"x": 1}
        case Boolean():
            return True
        case Integer():
            return 100_003
        case LargeBinary():
            return b"x"
    return "x"
