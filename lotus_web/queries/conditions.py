"""Conditions of lists, of what a filter asks for: a value that is None filters nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

Column = TypeVar("Column", bound=ColumnElement[Any] | InstrumentedAttribute[Any])


def equal(values: Mapping[Column, Any]) -> list[ColumnElement[bool]]:
    """Return that each column has its value."""
    return [column == value for column, value in values.items() if value is not None]


def between(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    """Return that a time is neither before ``start`` nor after ``end``."""
    found = []
    if start is not None:
        found.append(column >= start)
    if end is not None:
        found.append(column <= end)
    return found
