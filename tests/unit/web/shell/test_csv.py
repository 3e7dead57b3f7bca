"""Cells of CSV files: no spreadsheet finds a formula in one, however it splits the file."""

from __future__ import annotations

import csv
import io

import pytest

from lotus_web.web.shell.csv import csv_lines, safe_cell

SIGNS = "=+-@＝＋－＠"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("between", ["", ";", "\t", "|", "\n", "\r\n", ";;", "; ", ';"', "a;\u3000", '"\n'])
def test_no_cell_begins_with_a_sign_whatever_the_file_is_split_at(delimiter: str, between: str) -> None:
    held = [f"{lead}{between}{sign}HYPERLINK(1)" for sign in SIGNS for lead in ("", "text")]
    cells = held if between else [f"{sign}HYPERLINK(1)" for sign in SIGNS]
    file = "".join(csv_lines(("first", "second"), [("plain", cell) for cell in cells])).removeprefix("\ufeff")
    for row in csv.reader(io.StringIO(file, newline=""), delimiter=delimiter):
        for cell in row:
            assert not cell.lstrip(' "\u3000').startswith(tuple(SIGNS)), (cell, row)


@pytest.mark.parametrize(
    "text", ["", "plain", "a=b, c+d - e@f", "Zürich; Basel", "2026-01-31", "one\ntwo\tthree", "５－３"]
)
def test_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text
