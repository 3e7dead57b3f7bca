"""The tool that rebuilds the extract keeps the sources' own text and only days that both have."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from lotus_web.demo import extract
from lotus_web.demo.market import DATA_FOLDER


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The two packages' files in small: a day without a fixing ends March, a month without funds comes first."""
    for name, text in {
        "sp500_dataset.csv.gz": "Date,AAPL\n2013-12-31,9\n2014-02-28,10.10\n2014-03-28,11\n2014-03-31,12\n",
        "factors_dataset.csv.gz": "Date,MTUM\n2014-02-27,49\n2014-02-28,50.50\n2014-03-28,51\n2014-03-31,52\n",
    }.items():
        with gzip.open(tmp_path / name, "wt") as target:
            target.write(text)
    rates = "Date,USD,GBP,CHF,SGD,JPY,XXX,\n2014-03-28,1.2,0.8,1.1,1.7,138,1,\n2014-02-28,1.10,0.8,1.1,1.7,138,1,\n"
    with zipfile.ZipFile(tmp_path / "ecb.zip", "w") as packed:
        packed.writestr("eurofxref-hist.csv", rates)
    return tmp_path


def test_the_extract_is_rebuilt_from_both_sources(
    sources: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path_factory.mktemp("data")
    (target / "instruments.csv").write_bytes((DATA_FOLDER / "instruments.csv").read_bytes())
    monkeypatch.setattr(extract, "DATA_FOLDER", target)
    monkeypatch.setattr("sys.argv", ["extract", str(sources), str(sources / "ecb.zip")])
    extract.main()
    assert (target / "closes.csv").read_text() == "date,AAPL,MTUM\n2014-02-28,10.10,50.50\n2014-03-28,11,51\n"
    assert (target / "ecb_rates.csv").read_text().splitlines()[1] == "2014-02-28,1.10,0.8,1.1,1.7,138"
    assert len((target / "SHA256SUMS").read_text().splitlines()) == 3
