"""The geometry of the board's own charts: loads as bars of three parts, times to a decision as columns within columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.web.charts.bars import COLUMN_HEIGHT, COLUMN_TOP, GAP_SHARE, LABEL_HEIGHT, share

LOAD_ROW = 38
LOAD_BAR_TOP = 20
LOAD_BAR = 10


@dataclass(frozen=True, slots=True)
class LoadRow:
    """Whose load it is, its parts, the filtered inboxes behind the whole and behind its late part, and what to know of who has it."""

    label: str
    open: int
    overdue: int
    due_soon: int
    href: str
    late_href: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: ``x`` and ``width`` in percent."""

    tone: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class LoadBar:
    """A row with its parts laid out; heights in pixels."""

    row: LoadRow
    text_y: int
    y: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LoadChart:
    """All bars on one scale."""

    height: int
    bar_height: int
    row_height: int
    bars: tuple[LoadBar, ...]


def load_bars(rows: Iterable[LoadRow]) -> LoadChart:
    """Lay out each load as late, due soon and the rest, the heaviest filling the width."""
    rows = tuple(rows)
    most = Decimal(max((row.open for row in rows), default=0) or 1)
    bars = tuple(
        LoadBar(row, place * LOAD_ROW + 13, place * LOAD_ROW + LOAD_BAR_TOP, _parts(row, most))
        for place, row in enumerate(rows)
    )
    return LoadChart(len(rows) * LOAD_ROW, LOAD_BAR, LOAD_ROW, bars)


def _parts(row: LoadRow, most: Decimal) -> tuple[Part, ...]:
    found, reached = [], 0
    for tone, count in (("late", row.overdue), ("soon", row.due_soon), ("rest", row.open - row.overdue - row.due_soon)):
        if count:
            found.append(Part(tone, share(Decimal(reached), most), share(Decimal(count), most)))
            reached += count
    return tuple(found)


@dataclass(frozen=True, slots=True)
class TimesRow:
    """A day's times to a decision in seconds; None on a day without decisions."""

    label: str
    count: int
    p50: int | None
    p90: int | None
    href: str


@dataclass(frozen=True, slots=True)
class TimesColumn:
    """A day's column: the outer one is nine tenths, the inner one half; places in percent and pixels."""

    row: TimesRow
    x: str
    width: str
    inner_x: str
    inner_width: str
    middle: str
    y90: int
    height90: int
    y50: int
    height50: int


@dataclass(frozen=True, slots=True)
class TimesChart:
    """All days on one scale; ``top_y`` is where ``longest`` seconds are."""

    height: int
    base_y: int
    top_y: int
    longest: int
    every: int
    columns: tuple[TimesColumn, ...]


def times_columns(rows: Iterable[TimesRow]) -> TimesChart:
    """Lay out p50 within p90, left to right in the order given, the longest p90 filling the height."""
    rows = tuple(rows)
    longest = max((row.p90 or 0 for row in rows), default=0)
    laid = tuple(_times_column(row, place, len(rows), longest or 1) for place, row in enumerate(rows))
    base = COLUMN_TOP + COLUMN_HEIGHT
    return TimesChart(base + LABEL_HEIGHT, base, COLUMN_TOP, longest, len(rows) // 10 + 1, laid)


def _times_column(row: TimesRow, place: int, count: int, longest: int) -> TimesColumn:
    whole, base = Decimal(count), COLUMN_TOP + COLUMN_HEIGHT
    height90, height50 = ((seconds or 0) * COLUMN_HEIGHT // longest for seconds in (row.p90, row.p50))
    inner = (1 - GAP_SHARE) / 2
    return TimesColumn(
        row=row,
        x=share(place + GAP_SHARE / 2, whole),
        width=share(1 - GAP_SHARE, whole),
        inner_x=share(place + (1 - inner) / 2, whole),
        inner_width=share(inner, whole),
        middle=share(place + Decimal("0.5"), whole),
        y90=base - height90,
        height90=height90,
        y50=base - height50,
        height50=height50,
    )
