"""The studio and the page of a trace: a dry run writes nothing, starting writes once, a trace is told in one order."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.domain.events.envelope import EventType, Poster
from lotus_web.domain.items.actions import Action
from lotus_web.services.events.log import append_event
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.histories import NOW, POLICY, STARTED, append, contents, event
from tests.support.people import hire, post, shown, untitled

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


def start(client: FlaskClient, trace_id: str, template: str = "", **fields: str) -> TestResponse:
    query = f"?template={template}" if template else ""
    return post(client, f"/studio/{quote(trace_id, safe='')}{query}", fields)


def credit_trace(app: Flask, outcome: str | None = "failure", trace_id: str = "trace-1") -> str:
    """Record the trace of another decision system."""
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED, trace_id=trace_id))
        if outcome:
            append(session, event(EventType.TRACE_FINISHED, {"outcome": outcome}, trace_id=trace_id, trace_seq=1))
    return trace_id


@pytest.mark.stores(*KINDS)
def test_it_lists_what_moved_last_and_leads_to_a_trace(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    credit_trace(app)
    nora = client_of("nora")
    page = nora.get("/studio").text
    assert page.index("Limit of Aare AG") < page.index("/studio/corr-key-1")
    answer = nora.get("/studio?trace=trace-1")
    assert (answer.status_code, answer.location) == (303, "/studio/trace-1")
    assert nora.get("/studio/nowhere").status_code == 404


def test_a_dry_run_tells_what_speaks_for_a_review_and_writes_nothing(app: Flask, client_of: ClientOf) -> None:
    credit_trace(app)
    nora = client_of("nora")
    with app.app_context():
        before = contents()
    page = nora.get("/studio/trace-1")
    assert "The outcome is unfavourable." in page.text
    assert "Nothing like it was decided before." in page.text
    assert 'aria-current="page">Incident triage' in page.text
    assert "trace-1:trace_review:incident_triage" in page.text
    assert untitled(nora.get("/studio/trace-1", headers=HTMX).text).startswith('<div id="dry-run"')
    with app.app_context():
        assert contents() == before


def test_nothing_speaks_for_a_review_of_a_run_that_was_ready_but_that_nothing_is_like_it(
    app: Flask, client_of: ClientOf
) -> None:
    runs.record(app, runs.CLEAN, key="ready")
    page = client_of("nora").get("/studio/corr-ready").text
    assert ">Settled<" in page
    assert "The trace is still active." not in page
    assert '<option value="normal" selected>' in page


@pytest.mark.stores(*KINDS)
def test_a_review_is_started_once_and_opened(app: Flask, client_of: ClientOf) -> None:
    hire(app, "max")
    credit_trace(app)
    nora = client_of("nora")
    answer = start(nora, "trace-1", title="Look at Aare", reason="Twice this week.", priority="low", to="person:max")
    assert answer.status_code == 303
    assert answer.location == url_of("trace-1:trace_review:incident_triage")
    item = nora.get(answer.location).text
    for words in (
        "Look at Aare",
        "Twice this week.",
        "Low",
        "<bdi>max</bdi> holds this item.",
        "The review is started.",
    ):
        assert words in item
    assert "This review was started before." in nora.get("/studio/trace-1").text
    again = start(nora, "trace-1", title="Again", reason="Again.")
    assert again.location == answer.location
    assert "started before; here it is" in nora.get(again.location).text


def test_each_kind_of_review_is_its_own(app: Flask, client_of: ClientOf) -> None:
    credit_trace(app)
    nora = client_of("nora")
    locations = {start(nora, "trace-1", kind).location for kind in ("incident_triage", "precedent_gap_review")}
    assert len(locations) == 2
    assert nora.get("/studio/trace-1?template=no_such").status_code == 404


@pytest.mark.parametrize(
    ("fields", "sentence", "field"),
    [
        ({"to": "person:nobody-here"}, "nobody-here cannot review items here.", "review-to"),
        ({"title": "x" * 251}, "Use at most 250 characters.", "review-title"),
        ({"title": "a\u202eb"}, "The title contains U+202E at character 2, which cannot be shown.", "review-title"),
        ({"reason": "x" * 4001}, "Use at most 4000 characters.", "review-reason"),
        ({"priority": "tomorrow"}, "Priority is one of urgent, high, normal, low.", "review-priority"),
    ],
)
def test_what_cannot_be_is_shown_again_with_the_text(
    app: Flask, client_of: ClientOf, fields: dict[str, str], sentence: str, field: str
) -> None:
    credit_trace(app)
    answer = start(client_of("nora"), "trace-1", **{"reason": "Kept words.", **fields})
    assert answer.status_code == 422
    assert f'<a href="#{field}">{sentence}</a>' in answer.text
    assert "Kept words." in answer.text or "reason" in fields


def test_who_may_not_review_sees_the_dry_run_and_why_not(app: Flask, client_of: ClientOf) -> None:
    credit_trace(app)
    vera = client_of("vera")
    assert "This needs the permission “Claim and decide items”." in vera.get("/studio/trace-1").text
    assert start(vera, "trace-1").status_code == 403


@pytest.mark.stores(*KINDS)
def test_a_trace_is_told_in_one_order_with_links(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.CLAIM, by=TOMAS)
    runs.act(app, workflow_id, Action.REJECT, by=TOMAS, text="Too far.", reason_code="LIMIT_BREACH")
    page = client_of("vera").get("/traces/corr-key-1").text
    told = [
        "started the trace",
        "requested a review",
        "reviewer was notified",
        "claimed it",
        "rejected",
        "engine-feed was notified",
    ]
    places = [page.index(f">{words}<") for words in told]
    assert places == sorted(places)
    assert f'href="{url_of(workflow_id)}"' in page
    assert len(re.findall(r'<div id="evt_[0-9a-f]+" class="logged">', page)) == 4
    for anchor in re.findall(r'href="#(evt_[0-9a-f]+)"', page):
        assert f'id="{anchor}"' in page


@pytest.mark.stores(*KINDS)
def test_a_trace_and_the_record_say_who_fed_it(app: Flask, client_of: ClientOf) -> None:
    with app.app_context(), transaction() as session:
        fed = event(EventType.TRACE_STARTED, STARTED)
        append_event(session, fed, defaults=POLICY.defaults, now=NOW, poster=Poster("pms", "tok0123456789abcdef"))
    max_ = client_of("max")
    page = max_.get("/traces/trace-1").text
    assert "started the trace (posted by pms)" in page
    assert "posted by pms with tok0123456789abcdef" in page
    assert "posted by pms" in max_.get("/audit?actor=pms").text
    assert "pms,tok0123456789abcdef" in max_.get("/audit.csv?actor=pms").text


def test_an_item_leads_to_its_trace_and_a_trace_to_the_studio(app: Flask, client_of: ClientOf) -> None:
    nora = client_of("nora")
    assert 'href="/traces/corr-key-1"' in nora.get(url_of(runs.item(app))).text
    assert 'href="/studio/corr-key-1"' in nora.get("/traces/corr-key-1").text


@pytest.mark.parametrize("path", ["/traces/{}", "/studio/{}"])
def test_another_tenants_trace_is_not_there(app: Flask, client_of: ClientOf, path: str) -> None:
    runs.item(app, key="theirs", tenant="elsewhere")
    nora = client_of("nora")
    unknown, foreign = (nora.get(path.format(name)) for name in ("nowhere", "corr-theirs"))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert shown(foreign) == shown(unknown)
    assert start(nora, "corr-theirs").status_code == 404
    assert "corr-theirs" not in nora.get("/studio").text
