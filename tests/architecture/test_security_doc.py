"""docs/security.md names every chapter of ASVS 5.0 once, and only files and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| V\d+ ", line)]
NAMED = sorted({*re.findall(r"`((?:tests|lotus_web)/[\w/.]+)`", PAGE)})
LINKED = sorted({*re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)})


def test_each_chapter_has_one_row() -> None:
    assert [int(row.split()[1][1:]) for row in ROWS] == list(range(1, 18))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split()[1])
def test_a_row_names_code_and_a_test_and_a_gap_where_it_is_partly_met(row: str) -> None:
    _, _, met, where, test, gap, _ = (cell.strip() for cell in row.split("|"))
    assert (ROOT / where.strip("`")).is_file()
    assert re.fullmatch(r"`tests/[\w/]+/test_\w+\.py`", test)
    assert (met in ("partly", "not claimed")) == bool(gap)


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_exists(path: str) -> None:
    assert (ROOT / path).is_file()
    assert not path.startswith("tests/") or "\ndef test_" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LINKED)
def test_what_is_linked_exists(path: str) -> None:
    assert (ROOT / "docs" / path).is_file()
