"""CSV that a spreadsheet opens as text: UTF-8 with a mark, and no cell that it would run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from flask import Response
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.http.export_slots import in_turn
from lotus_web.store.session import db
from lotus_web.web.shell.downloads import attachment

# The signs in every width in which a spreadsheet may read them, the minus of typesetters too.
SIGNS = "=+\\-@＝﹦＋﹢－﹣\N{MINUS SIGN}＠﹫"
# A spreadsheet that splits at another sign than the comma finds cells within ours, and what is quoted does not hold them together.
FORMULA_START = re.compile(rf"(?:^|(?<=[;|\t\r\n]))(?=[ \u00a0\u3000\"]*[{SIGNS}])|^(?=[\t\r\n])")
MARK = "\ufeff"


def safe_cell(text: str) -> str:
    """Return the text of a cell, with a ``'`` before whatever a spreadsheet would take for the beginning of a formula."""
    return FORMULA_START.sub("'", text)


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the file line by line (RFC 4180, CRLF), the mark first."""
    yield MARK + _line(header)
    for row in rows:
        yield _line([safe_cell(cell) for cell in row])


def _plain_cell(value: str | int | datetime | None) -> str:
    """Return what a row holds as text: nothing for None, an instant in UTC to the microsecond."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return "" if value is None else str(value)


def csv_export(kind: str, header: Sequence[str], rows: Callable[[Session], Iterable[Sequence[str]]]) -> Response:
    """Send rows, as they are read, as a file named after its kind and day, ``decisions-2026-01-31.csv``; raises TooManyExports."""
    lines = in_turn(_exported(db.engine, header, rows))
    return attachment(lines, f"{kind}-{current.utcnow():%Y-%m-%d}", "csv")


def attribute_cells(row: object, names: Iterable[str]) -> list[str]:
    """Return attributes of a row as cells."""
    return [_plain_cell(getattr(row, name)) for name in names]


def _exported(
    engine: Engine, header: Sequence[str], rows: Callable[[Session], Iterable[Sequence[str]]]
) -> Iterator[str]:
    """Yield the file; it is sent after the request has ended, so it is read in a session of its own."""
    with Session(engine) as session:
        yield from csv_lines(header, rows(session))


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
