"""The geometry of charts: weights and counts in, positions of bars out. Templates draw, CSS colours.

Horizontal places are percent of the drawing's width (``"12.5%"``), so that a chart fills whatever box it is put in while its
text keeps its size; vertical places are pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Protocol

from lotus_web.domain.rebalance.arithmetic import to_places

ROW_HEIGHT = 42
BAR_TOP = 19
BAR_HEIGHT = 7
AXIS_HEIGHT = 20
COLUMN_HEIGHT = 132
COLUMN_TOP = 18
LABEL_HEIGHT = 22
GAP_SHARE = Decimal("0.22")
TICK_STEPS = tuple(
    Decimal(step) for step in ("0.01", "0.02", "0.025", "0.05", "0.1", "0.2", "0.25", "0.5", "1", "2", "5")
)
MOST_TICKS = 7
WRITTEN_PLACES = 4


class WeightRow(Protocol):
    """What a paired bar is drawn from: weights as shares of the portfolio (1 = all of it)."""

    @property
    def label(self) -> str: ...
    @property
    def before_weight(self) -> Decimal: ...
    @property
    def after_weight(self) -> Decimal: ...
    @property
    def lowest(self) -> Decimal | None: ...
    @property
    def highest(self) -> Decimal | None: ...


class CountRow(Protocol):
    """What a column is drawn from; ``href`` (may be None) is where its bar leads."""

    @property
    def label(self) -> str: ...
    @property
    def value(self) -> int: ...
    @property
    def href(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Count:
    """One column of a histogram."""

    label: str
    value: int
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar: ``x`` and ``width`` in percent, ``y`` and ``height`` in pixels."""

    x: str
    width: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale at ``x`` percent, for a weight of ``weight``; a minor one loses its label where room is short."""

    x: str
    weight: Decimal
    anchor: str
    minor: bool


@dataclass(frozen=True, slots=True)
class PairedBar:
    """A row of the chart with both bars, a line for each limit there is, and the weights it shows.

    ``broken`` is the limit that the weight after the trades does not keep, ``breach`` says on which side: below or above.
    """

    label: str
    text_y: int
    before: Bar
    after: Bar
    before_weight: Decimal
    after_weight: Decimal
    lowest: Decimal | None
    highest: Decimal | None
    limits_x: tuple[str, ...]
    broken: Decimal | None = None
    breach: str | None = None


@dataclass(frozen=True, slots=True)
class PairedBars:
    """A whole chart; ``height`` in pixels, scale included."""

    height: int
    axis_y: int
    zero_x: str
    ticks: tuple[Tick, ...]
    rows: tuple[PairedBar, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One vertical bar with the middle of its slot, where its label is."""

    label: str
    value: int
    href: str | None
    x: str
    width: str
    middle: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A histogram; ``height`` in pixels, labels included. ``every`` tells which labels fit (1 = all of them)."""

    height: int
    base_y: int
    every: int
    columns: tuple[Column, ...]


def share(part: Decimal, whole: Decimal) -> str:
    """Return ``part`` of ``whole`` as percent with two decimals, the unit included."""
    text = format((part * 100 / whole).quantize(Decimal("0.01")), "f")
    return (text.rstrip("0").rstrip(".") or "0") + "%"


def _step(span: Decimal) -> Decimal:
    """Return the smallest round step that needs at most ``MOST_TICKS`` of them to cover ``span``."""
    return next((step for step in TICK_STEPS if span <= step * MOST_TICKS), span / MOST_TICKS)


def _scale(weights: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the lowest and the highest weight drawn, both whole steps and with zero between them, and the step."""
    low, high = min(weights, default=Decimal(0)), max(weights, default=Decimal(0))
    low, high = min(low, Decimal(0)), max(high, Decimal(0))
    step = _step(high - low) if high > low else Decimal("0.25")
    bottom = (low / step).to_integral_value(ROUND_FLOOR) * step
    top = (high / step).to_integral_value(ROUND_CEILING) * step
    return bottom, max(top, bottom + step), step


def _ticks(low: Decimal, high: Decimal, step: Decimal) -> tuple[Tick, ...]:
    count = int((high - low) / step)
    from_zero = int(low / step)
    anchors = ["start", *["middle"] * (count - 1), "end"]
    return tuple(
        Tick(share(step * place, high - low), low + step * place, anchors[place], minor=(from_zero + place) % 2 == 1)
        for place in range(count + 1)
    )


def _bar(weight: Decimal, low: Decimal, high: Decimal, y: int) -> Bar:
    start, end = sorted((weight, Decimal(0)))
    return Bar(share(start - low, high - low), share(end - start, high - low), y, BAR_HEIGHT)


def paired_bars(rows: Iterable[WeightRow]) -> PairedBars:
    """Lay out before and after of each row, one pair beneath the other in the order given, on one common scale.

    Weights may be negative (an overdrawn cash balance); the scale then starts below zero. A row breaks a limit when its weight
    after the trades is beyond it in the figures shown next to it: rules let smaller differences pass.
    """
    rows = tuple(rows)
    drawn = [
        weight
        for row in rows
        for weight in (row.before_weight, row.after_weight, row.lowest, row.highest)
        if weight is not None
    ]
    low, high, step = _scale(drawn)
    pairs = tuple(_paired_bar(row, place, low, high) for place, row in enumerate(rows))
    axis_y = len(rows) * ROW_HEIGHT
    return PairedBars(axis_y + AXIS_HEIGHT, axis_y, share(-low, high - low), _ticks(low, high, step), pairs)


def _as_written(weight: Decimal) -> Decimal:
    """Return a weight as ``percent`` writes it, in hundredths of a percent."""
    return to_places(weight, WRITTEN_PLACES, ROUND_HALF_UP)


def _paired_bar(row: WeightRow, place: int, low: Decimal, high: Decimal) -> PairedBar:
    top = place * ROW_HEIGHT
    limits = [limit for limit in (row.lowest, row.highest) if limit is not None]
    broken, breach = _breach(row)
    return PairedBar(
        label=row.label,
        text_y=top + 13,
        before=_bar(row.before_weight, low, high, top + BAR_TOP),
        after=_bar(row.after_weight, low, high, top + BAR_TOP + BAR_HEIGHT + 1),
        before_weight=row.before_weight,
        after_weight=row.after_weight,
        lowest=row.lowest,
        highest=row.highest,
        limits_x=tuple(share(limit - low, high - low) for limit in limits),
        broken=broken,
        breach=breach,
    )


def _breach(row: WeightRow) -> tuple[Decimal | None, str | None]:
    after = _as_written(row.after_weight)
    if row.lowest is not None and after < _as_written(row.lowest):
        return row.lowest, "below"
    if row.highest is not None and after > _as_written(row.highest):
        return row.highest, "above"
    return None, None


def columns(points: Iterable[CountRow]) -> Columns:
    """Lay out a histogram of counts (0 or more), left to right in the order given, the highest filling the height."""
    points = tuple(points)
    highest = max((point.value for point in points), default=0) or 1
    laid = tuple(_column(point, place, len(points), highest) for place, point in enumerate(points))
    return Columns(COLUMN_TOP + COLUMN_HEIGHT + LABEL_HEIGHT, COLUMN_TOP + COLUMN_HEIGHT, len(points) // 10 + 1, laid)


def _column(point: CountRow, place: int, count: int, highest: int) -> Column:
    whole = Decimal(count)
    height = point.value * COLUMN_HEIGHT // highest
    return Column(
        label=point.label,
        value=point.value,
        href=point.href,
        x=share(place + GAP_SHARE / 2, whole),
        width=share(1 - GAP_SHARE, whole),
        middle=share(place + Decimal("0.5"), whole),
        y=COLUMN_TOP + COLUMN_HEIGHT - height,
        height=height,
    )
