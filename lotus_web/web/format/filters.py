"""Filters that format values on pages: money, weights, quantities, times and ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

from flask import Flask

from lotus_web.domain.items.precedents import spell
from lotus_web.domain.rebalance.arithmetic import to_places
from lotus_web.web.charts.bars import columns, paired_bars
from lotus_web.web.charts.loads import load_bars, times_columns
from lotus_web.web.format.permissions import permitted

NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

# ISO 4217: every currency not named here has two minor units.
MINOR_UNITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
QUANTITY_PLACES = 6


def _exact(value: Decimal | int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise TypeError(f"a number on a page is a Decimal, not {type(value).__name__}")
    return Decimal(value)


def _grouped(value: Decimal, places: int, *, signed: bool = False) -> str:
    """Round half up, group thousands, and use the minus sign U+2212; ``signed`` adds a plus to positive values."""
    rounded = to_places(value, places, ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{rounded.copy_abs():,f}"


def amount(value: Decimal | int | None, currency: str, signed: bool = False) -> str:
    """Return an amount without its currency code, with the decimals of that currency (ISO 4217)."""
    if value is None:
        return NOTHING
    return _grouped(_exact(value), MINOR_UNITS.get(currency.upper(), 2), signed=signed)


def money(value: Decimal | int | None, currency: str, signed: bool = False) -> str:
    """Return ``1,234.50 USD``; a dash for None. Raises TypeError for a float or a text."""
    if value is None:
        return NOTHING
    return f"{amount(value, currency, signed)}{NO_BREAK_SPACE}{currency}"


def percent(weight: Decimal | int | None, signed: bool = False) -> str:
    """Return a weight of 0..1 as percent with two decimals; a dash for None."""
    if weight is None:
        return NOTHING
    return _grouped(_exact(weight) * 100, 2, signed=signed) + "%"


def quantity(value: Decimal | int | None, signed: bool = False) -> str:
    """Return units of an instrument, at most six decimals, without trailing zeros; a dash for None."""
    if value is None:
        return NOTHING
    text = _grouped(_exact(value), QUANTITY_PLACES, signed=signed)
    return text.rstrip("0").rstrip(".")


def _span(seconds: int) -> str:
    """Return a duration in its largest unit, rounded down; ``relative()`` in static/js/app.js does the same."""
    if seconds < 120 * 60:
        return f"{seconds // 60}{NO_BREAK_SPACE}min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600}{NO_BREAK_SPACE}h"
    return f"{seconds // 86400:,}{NO_BREAK_SPACE}d"


def when(moment: datetime | None, now: datetime, due: bool = False) -> str:
    """Return the time between ``moment`` and ``now`` in words.

    Plain: ``2 d ago``, ``in 3 h``, ``just now``. With ``due``: ``due in 12 min``, ``3 h late``, ``due now``.
    Both times are aware; None gives a dash.
    """
    if moment is None:
        return NOTHING
    seconds = int((moment - now).total_seconds())
    if abs(seconds) < 60:
        return "due now" if due else "just now"
    ahead, behind = ("due in {}", "{} late") if due else ("in {}", "{} ago")
    return (ahead if seconds > 0 else behind).format(_span(abs(seconds)))


def duration(span: timedelta | None) -> str:
    """Return a duration in at most two units: ``14 min``, ``1 h 20 min``, ``3 d 4 h``; a dash for None."""
    if span is None:
        return NOTHING
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return f"{int(span.total_seconds())}{NO_BREAK_SPACE}s"
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count}{NO_BREAK_SPACE}{unit}" for count, unit in parts[first : first + 2] if count)


def iso(moment: datetime | None) -> str:
    """Return UTC ISO 8601 with seconds and ``Z``, for ``<time datetime>``; an empty text for None."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def absolute(moment: datetime | None) -> str:
    """Return ``21 Nov 2026, 14:05:09 UTC``, the text shown on hover; a dash for None."""
    if moment is None:
        return NOTHING
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC"


def shorten_middle(text: str, limit: int = 18) -> str:
    """Return an id of at most ``limit`` characters: its head, an ellipsis and its tail."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[-tail:]}"


def _json_value(value: Any) -> Any:
    """Return what JSON has no type for as the API writes it: decimals and times as text, enums by value."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not shown as JSON")


def pretty_json(value: Mapping[str, Any] | Sequence[Any] | str | None) -> str:
    """Return JSON indented by two, keys in their own order; text is returned as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=_json_value)


def words(code: str | Enum) -> str:
    """Return a code as words: ``SINGLE_POSITION_MAX`` becomes ``Single position max``."""
    text = code.value if isinstance(code, Enum) else code
    return str(text).replace("_", " ").strip().capitalize()


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, given in the plural: ``1 item``, ``2,000 items``, ``1 entry``."""
    if count == 1:
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{count:,} {noun}"


FILTERS: tuple[Callable[..., Any], ...] = (
    absolute,
    amount,
    columns,
    counted,
    duration,
    iso,
    load_bars,
    paired_bars,
    percent,
    permitted,
    pretty_json,
    quantity,
    shorten_middle,
    spell,
    times_columns,
    when,
    words,
)


def register_filters(app: Flask) -> None:
    """Register the filters, and the geometry of charts, under their own names."""
    for function in FILTERS:
        app.add_template_filter(function)
