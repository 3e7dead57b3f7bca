"""Replaying a run from its page: a new run, and the two side by side."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lotus_web.models import RunPayload
from lotus_web.services.runs import replay
from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX
from tests.support import runs
from tests.support.histories import unguarded
from tests.support.people import post, shown, untitled

SQLITE = pytest.mark.stores("sqlite")


def rewrite(app: Flask, run_id: str, part: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Let a stored document be one that an older engine left."""
    with app.app_context(), unguarded("dpm_run_payloads") as session:
        payload = session.get(RunPayload, ("default", run_id))
        assert payload is not None
        document = json.loads(zlib.decompress(getattr(payload, part)))
        change(document)
        setattr(payload, part, zlib.compress(json.dumps(document).encode()))


def runs_of(app: Flask) -> int:
    with app.app_context():
        count = db.session.query(RunPayload).count()
        db.session.remove()
    return count


def test_a_replay_is_a_new_run_and_the_same_engine_says_the_same(app: Flask, client_of: ClientOf) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    assert "Replay with today" in ada.get(f"/runs/{run_id}").text
    answer = post(ada, f"/runs/{run_id}/replay")
    assert answer.status_code == 303
    new_id = answer.location.split("/")[2]
    assert answer.location == f"/runs/{new_id}/replay"
    page = ada.get(answer.location).text
    assert "Nothing differs." in page
    assert f'href="/runs/{run_id}"' in page
    assert f'href="/runs/{new_id}"' in page
    assert f'href="/runs/{new_id}/replay"' in ada.get(f"/runs/{new_id}").text
    assert runs_of(app) == 2


@pytest.fixture
def recorded_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test writes into the store is what an older version recorded."""
    monkeypatch.setattr(replay, "check_as_recorded", lambda *_: None)


@pytest.mark.usefixtures("recorded_before")
def test_what_another_engine_left_is_shown_side_by_side(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app, runs.CLEAN)

    def older(result: dict[str, Any]) -> None:
        result["status"] = "BLOCKED"
        result["lineage"]["engine_version"] = "0.9.0"
        result["target"]["targets"][0]["final_weight"] = "0.4321"
        result["rule_results"] = result["rule_results"][1:]
        gone = {**result["intents"][0], "instrument_id": "GONE_SINCE", "side": "BUY", "intent_type": "SECURITY_TRADE"}
        result["intents"].append(gone)

    rewrite(app, run_id, "result", older)
    ada = client_of("ada")
    page = ada.get(post(ada, f"/runs/{run_id}/replay").location).text
    assert "The status has changed." in page
    for told in ("0.9.0", "43.21%", "BUY GONE_SINCE", "Removed", "Added", "not there", "Final weight"):
        assert told in page
    assert "Nothing differs." not in page


@SQLITE
@pytest.mark.usefixtures("recorded_before")
def test_a_request_that_this_version_does_not_take_is_a_conflict(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    rewrite(app, run_id, "request", lambda request: request.pop("portfolio_snapshot"))
    answer = post(client_of("ada"), f"/runs/{run_id}/replay")
    assert answer.status_code == 409
    assert "not one that this version" in answer.text
    assert runs_of(app) == 1


@pytest.mark.parametrize("name", ["vera", "nora", "max"])
@SQLITE
def test_who_may_not_replay_sees_why(app: Flask, client_of: ClientOf, name: str) -> None:
    run_id, client = runs.record(app), client_of(name)
    assert "This needs the permission “Submit portfolios for rebalancing”." in client.get(f"/runs/{run_id}").text
    assert post(client, f"/runs/{run_id}/replay").status_code == 403
    assert runs_of(app) == 1


def test_only_a_replay_of_this_tenant_has_a_comparison(app: Flask, client_of: ClientOf) -> None:
    run_id, theirs, ada = runs.record(app), runs.record(app, tenant="zurich"), client_of("ada")
    pages = [ada.get(f"/runs/{one}/replay") for one in (run_id, theirs, "rr_none")]
    assert {page.status_code for page in pages} == {404}
    assert "it is not a replay of another" in pages[0].text
    assert shown(pages[1]) == shown(pages[2])
    assert post(ada, f"/runs/{theirs}/replay").status_code == 404


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="false")
@SQLITE
def test_switched_off_there_is_no_replay(app: Flask, client_of: ClientOf) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    assert post(ada, f"/runs/{run_id}/replay").status_code == 404
    assert ada.get(f"/runs/{run_id}/replay").status_code == 404
    assert runs_of(app) == 1


@SQLITE
def test_htmx_gets_the_fragment_alone(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    location = post(ada, f"/runs/{runs.record(app)}/replay").location
    assert untitled(ada.get(location, headers=HTMX).text).startswith('<div id="replay"')
