"""Walking through a list: pages of any size over any rows show each row once, in order, on both stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, insert, select

from lotus_web.domain.paging import Page
from lotus_web.queries import keyset
from lotus_web.store.session import db, transaction
from lotus_web.store.types import UtcDateTime
from tests.support.histories import NOW

COLLATED = Text().with_variant(Text(collation="C"), "postgresql")
ROWS = Table(
    "rows_of_a_list",
    MetaData(),
    Column("at", UtcDateTime, nullable=False),
    Column("name", COLLATED, nullable=False),
    Column("number", Integer, primary_key=True),
    Column("kept", Integer, nullable=False),
)
EVERY = select(ROWS.c.at, ROWS.c.name, ROWS.c.number, ROWS.c.kept)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list; few instants and names, so that many rows share them."""

    at: datetime
    name: str
    number: int
    kept: int

    @property
    def place(self) -> tuple[datetime, str, int]:
        """Where it is in the list."""
        return self.at, self.name, self.number


LISTS = st.lists(
    st.tuples(st.integers(-2, 2), st.sampled_from(["", "B", "a", "é", "😀"]), st.integers(0, 1)), max_size=25
).map(
    lambda found: [
        Row(NOW + timedelta(microseconds=late), name, number, kept) for number, (late, name, kept) in enumerate(found)
    ]
)


@pytest.fixture(autouse=True)
def table(app: Flask) -> Iterator[None]:
    """A list of its own in the store."""
    with app.app_context():
        ROWS.create(db.engine)
        yield
        db.session.rollback()
        ROWS.drop(db.engine)


def store(rows: Sequence[Row]) -> None:
    """Make these the rows of the list."""
    with transaction() as session:
        session.execute(delete(ROWS))
        if rows:
            session.execute(
                insert(ROWS),
                [{"at": row.at, "name": row.name, "number": row.number, "kept": row.kept} for row in rows],
            )


def order(descending: bool) -> keyset.Order:
    """Return the order of the list."""
    return keyset.Order(ROWS.c.at, ROWS.c.name, ROWS.c.number, descending=descending)


def pages(descending: bool, limit: int, *, reach: int | None = None) -> Iterator[Page[Row]]:
    """Yield the pages of the list; with a ``reach`` only rows that are kept, each page over that many rows."""
    cursor = None
    while True:
        found = keyset.page(
            db.session(),
            EVERY if reach is None else EVERY.where(ROWS.c.kept == 1),
            order(descending),
            row=lambda one: Row(*one),
            limit=limit,
            cursor=cursor,
            reach=None if reach is None else keyset.Reach(reach, ()),
        )
        yield found
        cursor = found.next_cursor
        if cursor is None:
            return


def shown(found: Iterator[Page[Row]]) -> list[Row]:
    """Return the rows of all pages."""
    return [row for page in found for row in page.items]


@given(LISTS, st.integers(1, 30), st.booleans())
@settings(max_examples=60)
def test_pages_of_any_size_over_any_rows_show_each_row_once_and_in_order(
    rows: list[Row], limit: int, descending: bool
) -> None:
    store(rows)
    walked = list(pages(descending, limit))
    assert shown(iter(walked)) == sorted(rows, key=lambda row: row.place, reverse=descending)
    assert len(walked) == max(1, -(-len(rows) // limit))


@given(LISTS, st.integers(1, 30), st.integers(1, 30), st.booleans())
@settings(max_examples=60)
def test_a_bounded_search_shows_each_matching_row_once_and_looks_no_further_than_it_may(
    rows: list[Row], limit: int, reach: int, descending: bool
) -> None:
    store(rows)
    ranked = sorted(rows, key=lambda row: row.place, reverse=descending)
    walked = list(pages(descending, limit, reach=reach))
    assert shown(iter(walked)) == [row for row in ranked if row.kept]
    for page in walked:
        if page.items:
            first, last = ranked.index(page.items[0]), ranked.index(page.items[-1])
            assert last - first < reach


@given(LISTS, st.integers(1, 30), st.booleans())
@settings(max_examples=40)
def test_two_sources_read_by_themselves_make_one_list(rows: list[Row], limit: int, descending: bool) -> None:
    store(rows)
    way, cursor, found = order(descending), None, []
    while True:
        after = keyset.decode_cursor(cursor, way.kinds) if cursor else None
        heads = [
            Row(*one)
            for kept in (0, 1)
            for one in keyset.head(db.session(), EVERY.where(ROWS.c.kept == kept), way, limit=limit, after=after)
        ]
        page = keyset.merge(heads, place=way.place_of, limit=limit, descending=descending)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == sorted(rows, key=lambda row: row.place, reverse=descending)


def test_what_comes_and_goes_between_two_pages_hides_no_other_row() -> None:
    rows = [Row(NOW + timedelta(seconds=number), "x", number, 1) for number in range(10)]
    store(rows)
    walk = pages(False, 3)
    seen = list(next(walk).items)
    store([row for row in rows if row.number not in (2, 4)] + [Row(NOW - timedelta(days=1), "x", 100, 1)])
    seen += shown(walk)
    assert [row.number for row in seen] == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_an_export_holds_no_transaction_between_its_pages() -> None:
    store([Row(NOW, "x", number, 1) for number in range(5)])
    session = db.session()

    def batch(cursor: str | None) -> Page[Row]:
        return keyset.page(session, EVERY, order(False), row=lambda one: Row(*one), limit=2, cursor=cursor)

    found = keyset.all_rows(session, batch)
    numbers = []
    for row in found:
        assert not session.in_transaction()
        numbers.append(row.number)
    assert numbers == [0, 1, 2, 3, 4]
