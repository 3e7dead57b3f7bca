"""Every page there is, drawn from the routes of the app: what it shows, to whom, and what it must never do."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.domain.access import Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.store.session import transaction
from tests.conftest import MakeApp
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_hostile_text import CORPUS, assert_harmless
from tests.integration.web.shell.test_hostile_text import FORMULAS
from tests.support import people
from tests.support.everything import Address, furnish, pages
from tests.support.histories import STARTED, append, contents, event, requested
from tests.support.logs import log_settings

pytestmark = pytest.mark.environ(
    DPM_WORKFLOW_ENABLED="true",
    DPM_LINEAGE_APIS_ENABLED="true",
    DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
    DPM_ARTIFACT_STORE_MODE="PERSISTED",
)
SHOWN = {200, 303}
# A form that names nothing may be a stranger's own: taken, refused, or about an id in its fields.
TAKEN = {200, 201, 303, 404, 409, 422}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/inbox"}
# What forms hold; each takes what it knows.
TYPED = "Kept, because it was long to write."
FIELDS = {"text": TYPED, "note": TYPED, "reason": TYPED, "title": TYPED, "account": TYPED, "display_name": TYPED}
# The forms that show a kept text again, and the action with which they do.
KEPT = {
    "items.act": {"action": "comment"},
    "sla.move": {},
    "studio.start": {},
    "accounts.add": {},
    "accounts_tokens.issue": {},
    "retention.change": {"action": "lift"},
    "retention.change_proposal": {"action": "lift"},
}
ENTRY = re.compile(r'<a class="rail__link"([^>]*)>.*?([A-Z][A-Za-z ]+)</span>', re.DOTALL)
# Some whose address or blueprint has another name than the entry.
LABELS = {
    "items.show": "Inbox",
    "traces.show": "Studio",
    "receipts.show": "Decisions",
    "retention.show": "Runs",
    "retention.show_proposal": "Proposals",
    "proposals_json.start_version": "Proposals",
    "idempotency.show": "Runs",
    "deliveries.listing": "Operations",
    "accounts_token.show": "Admin",
}
TITLE = re.compile("<title>([^<]+)</title>")
TITLE_OF_PAGE = re.compile("<head>.*?<title>([^<]+)</title>", re.DOTALL)
QUERIES = (
    "q",
    "about",
    "actor",
    "actor_id",
    "kind",
    "person",
    "role",
    "portfolio",
    "portfolio_id",
    "correlation_id",
    "request_hash",
    "reason_code",
    "edge_type",
    "template",
    "do",
    "part",
)


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment that signs its log, so that decisions have receipts."""
    return make_app(**log_settings(tmp_path))


def stranger(app: Flask) -> FlaskClient:
    """Return an administrator of another tenant, signed in."""
    people.hire(app, "stan", Role.ADMIN, tenant="north")
    client = app.test_client()
    assert people.sign_in(client, "stan").status_code == 303
    return client


def test_no_page_changes_the_store(app: Flask, client_of: ClientOf, content: Callable[[], str]) -> None:
    ids, ada = furnish(app, "mine"), client_of("ada")
    before = content()
    looked = {page.path: ada.get(page.path, buffered=True).status_code for page in pages(app, "GET", ids)}
    assert {path: status for path, status in looked.items() if status not in SHOWN} == {}
    assert content() == before


def test_a_stranger_finds_nothing_and_changes_nothing(app: Flask, client_of: ClientOf) -> None:
    """Ids of another tenant are answered as ids of nobody are, whatever the method, and no list holds what is theirs."""
    ids, stan = furnish(app, "mine-alone"), stranger(app)
    with app.app_context():
        before = contents()
    token, wrong = people.csrf_token(stan), {}
    for page in (*pages(app, "GET", ids), *pages(app, "POST", ids)):
        answer = stan.open(page.path, method=page.method, data=_form(page, token), buffered=True)
        # A page may say again what its own address asked for.
        secrets = [one for one in ("mine-alone", ids["run_id"], ids["request_hash"]) if one not in page.path]
        told = [one for one in secrets if one in answer.text]
        expected = {404} if page.named else SHOWN if page.method == "GET" else TAKEN
        if answer.status_code not in expected or told:
            wrong[f"{page.method} {page.path}"] = (answer.status_code, told)
    assert wrong == {}
    with app.app_context():
        assert contents() == before


def _form(page: Address, token: str) -> dict[str, str] | None:
    if page.method == "GET":
        return None
    first = {"items.act": "comment", "retention.change": "lift"}.get(page.endpoint, "")
    change = "rename" if page.endpoint == "saved_views.alter" else "disable"
    return {"csrf_token": token, "action": first, "change": change, "version": "4", "name": "Other", **FIELDS}


# Pages of no entry of the navigation: what the head of every page leads to, and the choice of a tenant.
OF_NO_ENTRY = {"search.show", "notifications.show", "docs.show", "tenant.choose", "passkeys.show"}


@pytest.mark.stores("sqlite")
def test_every_page_is_shown_in_the_navigation_where_its_list_is(app: Flask, client_of: ClientOf) -> None:
    ids, ada = furnish(app, "mine"), client_of("ada")
    shown = {}
    for page in pages(app, "GET", ids):
        answer = ada.get(page.path, buffered=True)
        if answer.mimetype == "text/html" and answer.status_code == 200 and (entries := ENTRY.findall(answer.text)):
            shown[page.endpoint] = [label for here, label in entries if "aria-current" in here]
    assert {endpoint for endpoint, labels in shown.items() if len(labels) != 1} <= OF_NO_ENTRY
    assert {endpoint: shown[endpoint] for endpoint in LABELS} == {name: [label] for name, label in LABELS.items()}


@pytest.mark.stores("sqlite")
def test_what_comes_in_place_of_a_page_brings_its_title(app: Flask, client_of: ClientOf) -> None:
    ids, ada = furnish(app, "mine & <theirs>"), client_of("ada")
    named = {}
    for page in pages(app, "GET", ids):
        fragment = ada.get(page.path, headers=HTMX, buffered=True)
        if fragment.mimetype == "text/html" and (title := TITLE.match(fragment.text)):
            named[page.endpoint] = (title[1], *TITLE_OF_PAGE.findall(ada.get(page.path).text))
    assert {endpoint: titles for endpoint, titles in named.items() if len(set(titles)) != 1} == {}
    assert {"items.show", "inbox.show", "runs.show", "traces.show", "lineage.walk", "sla.show"} <= set(named)
    # These are shown within another page.
    assert set(named) & {"runs.raw", "operations.raw", "notifications.bell"} == set()


@pytest.mark.stores("sqlite")
def test_no_page_runs_what_the_store_or_its_address_holds(app: Flask, client_of: ClientOf) -> None:
    text = " ".join(CORPUS)
    # Checked here against what is dangerous, which is parsing enough.
    app.test_client_class = FlaskClient
    ids, ada = furnish(app, text), client_of("ada")
    people.post(ada, "/inbox/views?tab=open", {"name": "</a><script>alert(1)</script>"})
    asked = urlencode(dict.fromkeys(QUERIES, text))
    for page in pages(app, "GET", ids):
        for path, statuses in ((page.path, SHOWN), (f"{page.path}?{asked}", {200, 303, 404, 422})):
            answer = ada.get(path, buffered=True)
            assert answer.status_code in statuses, path
            if answer.mimetype == "text/html":
                assert_harmless(answer.text)


@pytest.mark.stores("sqlite")
def test_no_page_is_broken_by_characters_that_nobody_sees(app: Flask, client_of: ClientOf) -> None:
    ids, ada = furnish(app, "mine"), client_of("ada")
    unseen = "a\x7f\x0b\x1b\x85\ufdd0\uffff\U0001ffffb"
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED | {"title": unseen}))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested(reason=unseen)))
    assert ">ab</h1>" in ada.get("/traces/trace-1").text
    asked = urlencode(dict.fromkeys((*QUERIES, "from", "cursor"), f"\x00{unseen}"))
    for page in pages(app, "GET", ids):
        assert ada.get(f"{page.path}?{asked}", buffered=True).status_code in {200, 303, 404, 422}, page


@pytest.mark.stores("sqlite")
def test_no_file_of_any_page_holds_a_formula(app: Flask, client_of: ClientOf) -> None:
    for number, start in enumerate(FORMULAS):
        furnish(app, f"{start.strip()} {number}", name=f"tilda-{number}")
    max_, files = client_of("max"), [page.path for page in pages(app, "GET", _Anything()) if page.path.endswith(".csv")]
    assert len(files) >= 3
    for path in files:
        cells = [
            cell
            for row in csv.reader(io.StringIO(max_.get(path, buffered=True).text.removeprefix("\ufeff")))
            for cell in row
        ]
        assert any("1" in cell for cell in cells)
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == [], path


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "1"


def test_a_session_that_ends_before_an_htmx_post_costs_no_text_and_sends_nothing(app: Flask) -> None:
    ids = furnish(app, "mine")
    people.hire(app, "ada")
    with app.app_context():
        before = contents()
    posts = list(pages(app, "POST", ids))
    assert {page.endpoint for page in posts} >= set(KEPT)
    for page in posts:
        lost, fields = app.test_client(), {**FIELDS, "version": "4", **KEPT.get(page.endpoint, {})}
        asked = lost.post(page.path, data={**fields, "csrf_token": "of a lost session"}, headers=HTMX)
        assert asked.status_code == 401, page
        assert (asked.headers["HX-Retarget"], asked.headers["HX-Push-Url"]) == ("body", "false"), page
        assert "Your session has ended." in asked.text, page
        form = people.hidden_fields(asked)
        assert (form["next"], bool(form["draft"])) == ("/inbox", True), page
        if page.endpoint in KEPT:
            back = lost.post("/login", data=form | {"name": "ada", "password": people.PASSWORD})
            assert (back.status_code, back.location) == (303, "/inbox"), page
            assert TYPED in lost.get(page.path).text, page
    with app.app_context():
        assert contents() == before
