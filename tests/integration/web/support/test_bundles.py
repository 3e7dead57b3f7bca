"""Support bundles as files, and the history of the idempotency key that they tell of."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.store.session import db
from lotus_web.web import idempotency
from tests.contract.rows import add_replays
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.analyses import accept
from tests.support.people import bearer_of, shown

SQLITE = pytest.mark.stores("sqlite")
TOGGLES = ("include_artifact", "include_async_operation", "include_idempotency_history")


@SQLITE
def test_the_file_is_what_the_json_route_answers(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    file = vera.get(f"/runs/{run_id}/support-bundle")
    assert (file.status_code, file.mimetype) == (200, "application/json")
    assert file.headers["Content-Disposition"] == f'attachment; filename="support-bundle-{run_id}.json"'
    headers = {"Authorization": f"Bearer {bearer_of(app, permissions=[Permission.RUNS_READ])}"}
    assert file.json == app.test_client().get(f"/rebalance/runs/{run_id}/support-bundle", headers=headers).json


@SQLITE
@pytest.mark.parametrize("without", TOGGLES)
def test_a_part_that_is_not_ticked_is_left_out(app: Flask, client_of: ClientOf, without: str) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    sent = [(name, "false") for name in TOGGLES] + [(name, "true") for name in TOGGLES if name != without]
    bundle = vera.get(f"/runs/{run_id}/support-bundle", query_string=sent).json
    assert bundle is not None
    assert bundle[without.removeprefix("include_")] is None
    assert {"run", "workflow_history", "lineage"} <= set(bundle)
    assert (bundle["artifact"] is None) is (without == "include_artifact")


@SQLITE
def test_the_page_of_a_run_offers_the_file_with_its_toggles(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    page = client_of("vera").get(f"/runs/{run_id}").text
    assert f'action="/runs/{run_id}/support-bundle"' in page
    for name in TOGGLES:
        assert f'<input type="hidden" name="{name}" value="false">' in page
        assert f'name="{name}" value="true" checked' in page


def test_an_operation_has_the_bundle_of_its_first_run(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        operation_id = accept(inline=True).operation_id
        db.session.remove()
    bundle = client_of("vera").get(f"/operations/{operation_id}/support-bundle").json
    assert bundle is not None
    assert bundle["async_operation"]["operation_id"] == operation_id
    assert len(bundle["related_run_ids"]) == 2


def test_what_is_unknown_or_anothers_has_no_bundle(app: Flask, client_of: ClientOf) -> None:
    theirs, vera = runs.record(app, tenant="zurich"), client_of("vera")
    pages = [vera.get(f"/runs/{one}/support-bundle") for one in (theirs, "rr_none")]
    assert {page.status_code for page in pages} == {404}
    assert shown(pages[0]) == shown(pages[1])
    assert "DPM_RUN_NOT_FOUND" not in pages[0].text


@pytest.mark.environ(DPM_SUPPORT_BUNDLE_APIS_ENABLED="false")
@SQLITE
def test_switched_off_there_is_no_bundle_and_no_button(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    answer = vera.get(f"/runs/{run_id}/support-bundle")
    assert answer.status_code == 404
    assert "Support bundles are switched off by the operator" in answer.text
    assert "support-bundle" not in vera.get(f"/runs/{run_id}").text


@pytest.mark.environ(DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true")
def test_a_key_tells_what_was_recorded_and_replayed_under_it(app: Flask, client_of: ClientOf) -> None:
    key = "a key/with: all sorts 🙂"
    run_id = runs.record(app, key=key, correlation_id="corr-first")
    runs.record(app, key=key, correlation_id="corr-second")
    vera = client_of("vera")
    url = f"/idempotency/{quote(key, safe='')}"
    page = vera.get(url).text
    assert page.index("corr-second") < page.index("corr-first")
    assert page.index("Replayed") < page.index("Recorded")
    assert page.count(f'href="/runs/{run_id}"') == 2
    assert f'href="{url}"' in vera.get(f"/runs/{run_id}").text


@pytest.mark.environ(DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true")
def test_a_key_that_was_replayed_without_end_shows_the_latest_and_says_of_how_many(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MOST_SHOWN", 20)
    run_id = runs.record(app, key="key-1", correlation_id="corr-first")
    with app.app_context():
        add_replays(run_id, 19, key="key-1", start=utcnow())
    vera = client_of("vera")
    whole = vera.get("/idempotency/key-1").text
    assert (whole.count("Replayed"), whole.count("Recorded")) == (19, 1)
    assert "20 entries" in whole
    with app.app_context():
        add_replays(run_id, 1_200, key="key-1", start=utcnow() + timedelta(minutes=1))
    latest = vera.get("/idempotency/key-1").text
    assert (latest.count("Replayed"), latest.count("Recorded")) == (20, 0)
    assert "The latest 20 of 1,220 entries" in latest


@pytest.mark.environ(DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true")
@SQLITE
def test_an_unknown_key_and_another_tenants_are_the_same_404(app: Flask, client_of: ClientOf) -> None:
    runs.record(app, tenant="zurich", key="theirs")
    vera = client_of("vera")
    pages = [vera.get(f"/idempotency/{one}") for one in ("theirs", "nobodys")]
    assert {page.status_code for page in pages} == {404}
    assert shown(pages[0]) == shown(pages[1])


@SQLITE
def test_key_histories_are_off_until_switched_on(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    answer = vera.get("/idempotency/key-1")
    assert answer.status_code == 404
    assert "The history of idempotency keys is switched off by the operator" in answer.text
    assert "/idempotency/" not in vera.get(f"/runs/{run_id}").text
