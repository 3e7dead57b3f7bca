"""The page of an item: what it shows, and what its forms do."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.domain.access import Actor, ActorType, Role, permissions_of
from lotus_web.domain.items.transitions import override_phrase
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.histories import contents
from tests.support.people import csrf_token, hidden_fields, shown, untitled

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

TOMAS = Actor(
    ActorType.PERSON,
    "tomas",
    "default",
    permissions_of([Role.REVIEWER]),
    frozenset({Role.REVIEWER}),
)
HTMX = {"HX-Request": "true"}


def url_of(workflow_id: str) -> str:
    return f"/inbox/{quote(workflow_id, safe='')}"


def send(
    client: FlaskClient, workflow_id: str, action: str, headers: dict[str, str] | None = None, **fields: str
) -> TestResponse:
    """Post one of the page's forms as it stands, with what the person typed."""
    page = client.get(url_of(workflow_id))
    seen = {name: value for name, value in hidden_fields(page).items() if name in ("version", "digest", "csrf_token")}
    return client.post(url_of(workflow_id), data={**seen, "action": action, **fields}, headers=headers)


@pytest.mark.stores("sqlite")
def test_it_says_why_measured_against_limit(app: Flask, client_of: ClientOf) -> None:
    page = client_of("nora").get(url_of(runs.item(app, runs.CASH_TOO_HIGH)))
    assert page.status_code == 200
    assert "Cash would be 16.00% of the portfolio; the band is 1.00% to 5.00%." in page.text
    assert "Measured <b>" in page.text
    assert "16.00%" in page.text
    assert "at least" in page.text


@pytest.mark.parametrize(
    ("circumstance", "sentence"),
    [
        (runs.CASH_TOO_LOW, "banned on the shelf: it cannot be traded"),
        (runs.TURNOVER, "Order dropped: it did not fit the turnover limit"),
        (runs.CAPPED, "ends at 18.00%, not at the model"),
    ],
)
@pytest.mark.stores("sqlite")
def test_it_tells_what_the_engine_held_back(app: Flask, client_of: ClientOf, circumstance: str, sentence: str) -> None:
    assert sentence in client_of("nora").get(url_of(runs.item(app, circumstance))).text


def test_it_shows_orders_cash_allocation_and_that_the_artifact_proves_itself(app: Flask, client_of: ClientOf) -> None:
    page = client_of("nora").get(url_of(runs.item(app))).text
    for heading in ("Allocation before and after", "Orders", "Cash", "Timeline", "Run record"):
        assert heading in page
    assert page.count('<svg class="chart__drawing"') == 2
    assert "Verified" in page
    assert "corr-key-1" in page


def test_looking_writes_nothing(app: Flask, client_of: ClientOf) -> None:
    workflow_id, nora = runs.item(app), client_of("nora")
    with app.app_context():
        before = contents()
    nora.get(url_of(workflow_id))
    nora.get("/inbox?tab=open")
    nora.get("/decisions")
    nora.get("/search?q=x")
    with app.app_context():
        assert contents() == before


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("approve", {"reason_code": "WITHIN_MANDATE"}, "Approved"),
        ("reject", {"reason_code": "LIMIT_BREACH", "text": "Too far outside."}, "Rejected"),
        ("request_change", {"reason_code": "MODEL_OUTDATED"}, "Changes requested"),
        ("claim", {}, "In review"),
        ("comment", {"text": "Looks odd."}, "To review"),
        ("escalate", {"reason_code": "ABOVE_MY_AUTHORITY"}, "Escalated"),
    ],
)
def test_a_form_acts_and_leads_back_with_a_message(
    app: Flask, client_of: ClientOf, action: str, fields: dict[str, str], status: str
) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    answer = send(nora, workflow_id, action, **fields)
    assert answer.status_code == 303
    assert answer.location == url_of(workflow_id)
    page = nora.get(answer.location).text
    assert status in page
    assert "data-announce" in page


def test_htmx_gets_the_item_again_with_the_result_in_focus(app: Flask, client_of: ClientOf) -> None:
    answer = send(client_of("nora"), runs.item(app), "approve", HTMX, reason_code="WITHIN_MANDATE")
    assert answer.status_code == 200
    assert untitled(answer.text).startswith('<div id="item"')
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]
    assert "data-focus" in answer.text
    assert "The gate" in answer.text or "Approved." in answer.text


@pytest.mark.parametrize(
    ("action", "fields", "field", "sentence"),
    [
        ("approve", {}, "approve-reason_code", "Choose a reason."),
        ("approve", {"reason_code": "MADE_UP"}, "approve-reason_code", "Choose one of the listed reasons."),
        ("reject", {"reason_code": "OTHER"}, "reject-text", "Add a comment: this reason requires one."),
        ("comment", {"text": "  "}, "comment-text", "Enter a note."),
        (
            "comment",
            {"text": "bell\x07"},
            "comment-text",
            "The text contains U+0007 at character 5, which cannot be shown.",
        ),
        ("comment", {"text": "x" * 4001}, "comment-text", "Use at most 4000 characters."),
    ],
)
@pytest.mark.stores("sqlite")
def test_what_is_missing_is_named_and_what_was_typed_stays(
    app: Flask, client_of: ClientOf, action: str, fields: dict[str, str], field: str, sentence: str
) -> None:
    answer = send(client_of("nora"), runs.item(app), action, **fields)
    assert answer.status_code == 422
    assert f'<a href="#{field}">{sentence}</a>' in answer.text
    assert f'id="{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert f'id="fold-{action}" name="decision" open' in answer.text
    typed = fields.get("text", "").strip().removesuffix("\x07")
    assert typed in unescape(answer.text)


@pytest.mark.stores("sqlite")
def test_reassigning_needs_a_target_that_may_review(app: Flask, client_of: ClientOf) -> None:
    manager, workflow_id = client_of("max"), runs.item(app)
    client_of("nora")
    assert "Name a person or a role to assign to." in send(manager, workflow_id, "reassign").text
    wrong = send(manager, workflow_id, "reassign", assigned_account_id="nobody-here")
    assert wrong.status_code == 422
    assert "nobody-here cannot review items here." in wrong.text
    assert send(manager, workflow_id, "reassign", assigned_account_id="nora").status_code == 303
    assert "assigned it to nora" in manager.get(url_of(workflow_id)).text


@pytest.mark.stores("sqlite")
def test_an_override_needs_its_phrase(app: Flask, client_of: ClientOf) -> None:
    ada, workflow_id = client_of("ada"), runs.item(app)
    fields = {"reason_code": "COMMITTEE_DECISION", "text": "Minutes of today."}
    wrong = send(ada, workflow_id, "override", confirm_text="override", **fields)
    assert wrong.status_code == 422
    assert 'href="#override-confirm_text"' in wrong.text
    assert "Minutes of today." in wrong.text
    done = send(ada, workflow_id, "override", confirm_text=override_phrase(workflow_id), **fields)
    assert done.status_code == 303
    assert "Overridden" in ada.get(url_of(workflow_id)).text


@pytest.mark.stores("sqlite")
def test_a_form_without_its_version_is_refused(app: Flask, client_of: ClientOf) -> None:
    nora, workflow_id = client_of("nora"), runs.item(app)
    for version in ("", "-1", "x", "9" * 40, "٣"):
        answer = nora.post(
            url_of(workflow_id), data={"csrf_token": csrf_token(nora), "action": "claim", "version": version}
        )
        assert answer.status_code == 422
        assert "Reload the page." in answer.text


@pytest.mark.stores("sqlite")
def test_an_unknown_action_is_refused(app: Flask, client_of: ClientOf) -> None:
    answer = send(client_of("nora"), runs.item(app), "destroy")
    assert answer.status_code == 422
    assert "Choose what to do." in answer.text


@pytest.mark.stores("sqlite")
def test_a_refused_button_tells_the_sentence_of_its_rule(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app)
    viewer = client_of("vera").get(url_of(workflow_id)).text
    assert "You may read this. Reviewers decide." in viewer
    assert "Why this needs a reviewer" in viewer
    assert '<details class="fold' not in viewer
    assert 'aria-disabled="true"' not in viewer.partition('id="decide"')[2].partition("</section>")[0]
    nora = client_of("nora")
    page = nora.get(url_of(workflow_id)).text
    assert "This needs the permission “Override the gate”." in page
    assert "This item is waiting for a reviewer: release is not possible now." in page
    send(nora, workflow_id, "approve", reason_code="WITHIN_MANDATE")
    assert "This item is already approved: approve is not possible now." in nora.get(url_of(workflow_id)).text


@pytest.mark.stores("sqlite")
def test_who_lacks_the_permission_is_refused_with_the_page_and_the_text(app: Flask, client_of: ClientOf) -> None:
    answer = send(client_of("nora"), runs.item(app), "override", reason_code="OTHER", text="Please let me.")
    assert answer.status_code == 403
    assert "This needs the permission “Override the gate”." in answer.text


def test_another_tenants_item_is_as_unknown_as_one_that_never_was(app: Flask, client_of: ClientOf) -> None:
    theirs, nora = runs.item(app, tenant="zurich"), client_of("nora")
    foreign, unknown = nora.get(url_of(theirs)), nora.get(url_of("corr-none:exception:rr_none"))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert shown(foreign) == shown(unknown)
    token = csrf_token(nora)
    posted = [
        nora.post(url_of(one), data={"csrf_token": token, "action": "claim", "version": "1"}).status_code
        for one in (theirs, "corr-none:exception:rr_none")
    ]
    assert posted == [404, 404]


@pytest.mark.stores("sqlite")
def test_the_next_item_in_the_queue_is_one_click_away(app: Flask, client_of: ClientOf) -> None:
    first = runs.item(app, key="a", age=timedelta(hours=5))
    second = runs.item(app, runs.CASH_TOO_LOW, key="b")
    nora = client_of("nora")
    answer = send(nora, first, "approve", HTMX, reason_code="WITHIN_MANDATE")
    assert re.search(rf'Next in your queue: <a href="{re.escape(url_of(second))}">', answer.text)


@pytest.mark.stores("sqlite")
def test_an_id_of_any_characters_reaches_its_item(app: Flask, client_of: ClientOf) -> None:
    strange = "corr/with:a slash, ü and 50% of?"
    workflow_id = runs.item(app, correlation_id=strange)
    nora = client_of("nora")
    listed = nora.get("/inbox?tab=open").text
    assert f'href="{url_of(workflow_id)}?tab=open"' in listed
    page = nora.get(url_of(workflow_id))
    assert page.status_code == 200
    assert send(nora, workflow_id, "claim").status_code == 303


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(("circumstance", "side"), [(runs.CASH_TOO_LOW, "below"), (runs.CASH_TOO_HIGH, "above")])
def test_the_allocation_shows_both_ends_of_the_cash_band_and_which_is_broken(
    app: Flask, client_of: ClientOf, circumstance: str, side: str
) -> None:
    page = client_of("nora").get(url_of(runs.item(app, circumstance))).text
    said = re.search(r"Cash would be ([\d.]+%) of the portfolio; the band is ([\d.]+%) to ([\d.]+%)\.", page)
    assert said
    after, low, high = said.groups()
    broken = low if side == "below" else high
    drawn = re.search(r'<text class="chart__value chart__value--over"[^>]*>([^<]+)</text>', page)
    assert drawn
    assert drawn[1].endswith(f"→ {after}, {side} {broken}")
    table = re.sub(r"</?span[^>]*>", "", page.partition("By asset class as a table")[2].partition("</table>")[0])
    assert f'<td class="num limits">{low} to {high} {side}</td>' in table
    chart = page.partition('aria-labelledby="by-class-title')[2].partition("</svg>")[0]
    assert chart.count('class="chart__limit"') == 2
