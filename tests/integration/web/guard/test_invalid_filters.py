"""A filter that cannot be meant brings its page back: the form with what was typed, why, and no list."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from flask import Flask

from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX
from tests.support import runs

pytestmark = [
    pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_LINEAGE_APIS_ENABLED="true"),
    pytest.mark.stores("sqlite"),
]
REFUSED = [
    ("/inbox?tab=open&due=never&q=late", "due", {"q": "late"}),
    ("/inbox?tab=nowhere&person=nora", None, {"person": "nora"}),
    ("/runs?from=2027-01-01&to=2026-01-01&portfolio_id=P1", "to", {"from": "2027-01-01", "portfolio_id": "P1"}),
    ("/decisions?from=soon&actor_id=nora", "from", {"from": "soon", "actor_id": "nora"}),
    ("/decisions/reasons?from=2027-01-01&to=2026-01-01", "to", {"from": "2027-01-01", "to": "2026-01-01"}),
    ("/audit?from=2026-11-22&to=2026-11-20&actor=nora", "to", {"to": "2026-11-20", "actor": "nora"}),
    ("/operations?operation_type=SPELL&correlation_id=corr-1", "operation_type", {"correlation_id": "corr-1"}),
    ("/studio?trace=zzz", "trace", {"trace": "zzz"}),
    ("/search?q=" + "x" * 401, "q", {"q": "x" * 401}),
    ("/lineage?id=a%01b", "id", {"id": "ab"}),
]


class Page(HTMLParser):
    """What a page has: its fields by id, the links and the text of its error summary, and what is beside the forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, str | None]] = {}
        self.links: list[str] = []
        self.classes: list[str] = []
        self._in_summary = 0
        self.summary = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.classes += (found.get("class") or "").split()
        if "data-row" in found:
            self.classes.append("data-row")
        if tag in ("input", "select") and found.get("id"):
            self.fields[str(found["id"])] = found
        if tag == "div" and (self._in_summary or found.get("class") == "error-summary"):
            self._in_summary += 1
            assert "data-focus" in found or self._in_summary > 1
        if tag == "a" and self._in_summary:
            self.links.append(str(found["href"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._in_summary:
            self._in_summary -= 1

    def handle_data(self, data: str) -> None:
        if self._in_summary:
            self.summary += data


@pytest.mark.parametrize(
    ("address", "field", "kept"), REFUSED, ids=[address.partition("?")[0] for address, _, _ in REFUSED]
)
def test_the_form_comes_back_with_what_was_typed_and_why(
    app: Flask, client_of: ClientOf, address: str, field: str | None, kept: dict[str, str]
) -> None:
    runs.item(app)
    answer = client_of("ada").get(address)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert "rail__link" in page.classes
    assert page.summary.split("Invalid filter")[1].strip()
    assert {name: page.fields[name].get("value") for name in kept} == kept
    if field is not None:
        assert page.links == [f"#{field}"]
        assert page.fields[field]["aria-invalid"] == "true"
        assert f"{field}-error" in str(page.fields[field]["aria-describedby"])


@pytest.mark.parametrize("address", ["/inbox?tab=open&due=never", "/runs?status=GOOD", "/audit?source=gossip"])
def test_nothing_is_listed_for_a_filter_that_was_not_taken(app: Flask, client_of: ClientOf, address: str) -> None:
    runs.item(app)
    ada = client_of("ada")
    assert "data-row" in Page(ada.get("/inbox?tab=open").text).classes
    assert not {"data-row", "pagination"} & set(Page(ada.get(address).text).classes)


def test_all_that_is_wrong_is_told_at_once(client_of: ClientOf) -> None:
    answer = client_of("nora").get("/decisions?from=soon&to=later&action=BLESS")
    page = Page(answer.text)
    assert sorted(page.links) == ["#action", "#from", "#to"]
    assert (page.fields["from"]["type"], page.fields["from"]["value"]) == ("text", "soon")


def test_a_range_that_ends_before_it_starts_keeps_its_days_in_fields_for_days(client_of: ClientOf) -> None:
    page = Page(client_of("nora").get("/runs?from=2027-01-01&to=2026-01-01").text)
    assert [(page.fields[name]["type"], page.fields[name]["value"]) for name in ("from", "to")] == [
        ("date", "2027-01-01"),
        ("date", "2026-01-01"),
    ]


@pytest.mark.parametrize(
    ("address", "headers"),
    [("/inbox?tab=open&due=never", HTMX), ("/runs?cursor=cut-sho", {}), ("/audit.csv?from=soon", {})],
)
def test_what_no_form_asked_for_is_refused_as_it_was(
    client_of: ClientOf, address: str, headers: dict[str, str]
) -> None:
    answer = client_of("ada").get(address, headers=headers)
    assert answer.status_code == 422
    assert 'id="error"' in answer.text


@pytest.mark.parametrize(
    ("query", "sentence"), [("a%00b", "The text contains control characters."), ("x" * 401, "The text is too long")]
)
def test_a_search_says_what_is_wrong_with_it(client_of: ClientOf, query: str, sentence: str) -> None:
    answer = client_of("nora").get(f"/search?q={query}")
    assert answer.status_code == 422
    assert sentence in Page(answer.text).summary
