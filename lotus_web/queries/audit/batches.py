"""Reading a table in batches without a cursor that stays open: a verification may stop anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

BATCH = 500


def in_batches(
    session: Session, query: Select[*tuple[Any, ...]], order: Sequence[InstrumentedAttribute[Any]]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of a query whose first member is a row of the table that ``order``, a key of it, belongs to."""
    asked = query.order_by(*order).limit(BATCH)
    rows = session.execute(asked).all()
    while rows:
        yield from rows
        if len(rows) < BATCH:
            return
        last = tuple(getattr(rows[-1][0], column.key) for column in order)
        rows = session.execute(asked.where(tuple_(*order) > last)).all()
