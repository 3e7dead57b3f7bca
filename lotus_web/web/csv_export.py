"""CSV that a spreadsheet opens as text: UTF-8 with a mark, and no cell that it would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"


def safe_cell(text: str) -> str:
    """Return the text of a cell; one that a spreadsheet would take for a formula gets a ``'`` in front."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the file line by line (RFC 4180, CRLF), the mark first."""
    yield MARK + _line(header)
    for row in rows:
        yield _line([safe_cell(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
