"""The list of runs as a file."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.config.current import utcnow
from tests.integration.conftest import ClientOf
from tests.support import runs


def rows(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    """Return the export as a spreadsheet reads it."""
    answer = client.get(f"/runs.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


@pytest.mark.usefixtures("at_noon")
def test_filters_are_the_same_for_page_and_file(app: Flask, client_of: ClientOf) -> None:
    known = {"a": runs.record(app, key="a"), "b": runs.record(app, runs.CLEAN, key="b")}
    vera, day = client_of("vera"), f"{utcnow():%Y-%m-%d}"
    first = rows(vera)[0]
    for query, found in (
        ("", "ba"),
        ("status=READY", "b"),
        (f"request_hash={first['request_hash']}", "b"),
        (f"portfolio_id={first['portfolio_id']}&status=READY", "b"),
        ("portfolio_id=none", ""),
        (f"from={day}&to=9999-12-30", "ba"),
        ("to=2020-01-02", ""),
    ):
        assert [row["rebalance_run_id"] for row in rows(vera, query)] == [known[name] for name in found], query
        page = vera.get(f"/runs?{query}").text
        assert {name for name, run_id in known.items() if run_id in page} == set(found), query


def test_it_holds_more_than_a_page_and_reads_a_batch_at_a_time(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_web.queries.runs.lookup.EXPORT_BATCH", 2)
    monkeypatch.setattr("lotus_web.web.runs.views.PAGE_SIZE", 2)
    made = [runs.record(app, runs.CLEAN, key=str(number)) for number in range(5)]
    nora = client_of("nora")
    assert [row["rebalance_run_id"] for row in rows(nora)] == made[::-1]
    later = nora.get("/runs").text.partition('rel="next" href="/runs?')[2].partition('"')[0]
    assert 'href="/runs.csv" download' in nora.get(f"/runs?{later}").text
    assert 'href="/runs.csv?status=READY" download' in nora.get("/runs?status=READY").text


def test_another_tenants_runs_are_not_in_it(app: Flask, client_of: ClientOf) -> None:
    runs.record(app, tenant="zurich")
    assert rows(client_of("nora")) == []


@pytest.mark.stores("sqlite")
def test_no_cell_of_it_is_a_formula(app: Flask, client_of: ClientOf) -> None:
    runs.record(app, key='=HYPERLINK("http://evil.example")', correlation_id="@SUM(1)")
    (row,) = rows(client_of("nora"))
    assert row["idempotency_key"] == '\'=HYPERLINK("http://evil.example")'
    assert row["correlation_id"] == "'@SUM(1)"


@pytest.mark.stores("sqlite")
@pytest.mark.usefixtures("at_noon")
def test_it_is_marked_as_utf_8_and_as_a_download(client_of: ClientOf) -> None:
    answer = client_of("nora").get("/runs.csv")
    assert answer.data.startswith(b"\xef\xbb\xbfrebalance_run_id,")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="runs-{utcnow():%Y-%m-%d}.csv"'


@pytest.mark.stores("sqlite")
def test_what_is_wrong_is_refused_before_the_file_begins(app: Flask, client_of: ClientOf) -> None:
    for query in ("status=LOST", "from=yesterday", "from=2026-02-02&to=2026-02-01"):
        assert client_of("nora").get(f"/runs.csv?{query}").status_code == 422
    assert app.test_client().get("/runs.csv").location.startswith("/login")
