"""The filters of a lineage page: a plain form that the address keeps, and what was wrong in it comes back to be mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import html5lib
import pytest
from flask import Flask

from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.services.lineage import add_edge
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.histories import NOW

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_LINEAGE_APIS_ENABLED="true")
SQLITE = pytest.mark.stores("sqlite")
RUN = (EntityKind.RUN, "rr_00000001")
BATCH = (EntityKind.BATCH, "batch_1")
DAYS = {
    EdgeType.CORRELATION_TO_RUN: ((EntityKind.CORRELATION, "corr/1"), RUN),
    EdgeType.IDEMPOTENCY_TO_RUN: ((EntityKind.IDEMPOTENCY_KEY, "key-1"), RUN),
    EdgeType.DERIVED_FROM: (RUN, BATCH),
}


@pytest.fixture
def week(app: Flask) -> None:
    """A run with three edges, each of a kind of its own and a day (2026-03-02 09:00 UTC onwards) of its own."""
    with app.app_context(), transaction() as session:
        for day, (edge_type, ends) in enumerate(DAYS.items()):
            add_edge(session, edge_type, *ends, tenant_id="default", now=NOW + timedelta(days=day))


class Shown:
    """A page as a browser without scripts has it."""

    def __init__(self, text: str):
        self.tree: Any = html5lib.parse(text, namespaceHTMLElements=False)

    @property
    def form(self) -> Any:
        return self.tree.find(".//form[@aria-label='Filter the edges']")

    @property
    def edges(self) -> list[str]:
        """The kinds of edges in the table."""
        return [cell.text for cell in self.tree.findall(".//table/tbody/tr/th/code")]

    @property
    def fields(self) -> dict[str, str]:
        """What the form would send, names with nothing in them included."""
        found = {field.get("name"): field.get("value", "") for field in self.form.iter("input")}
        for choice in self.form.iter("select"):
            chosen = [option.get("value") for option in choice.iter("option") if "selected" in option.attrib]
            found[choice.get("name")] = chosen[0] if chosen else ""
        return found

    def sent(self, **typed: str) -> str:
        """The address that a browser goes to when the form is filled in and sent."""
        assert typed.keys() <= self.fields.keys()
        return f"{self.form.get('action')}?{urlencode({**self.fields, **typed})}"

    def link(self, words: str) -> str:
        found = [link for link in self.tree.iter("a") if "".join(link.itertext()).strip() == words]
        return str(found[0].get("href"))


def path_of(entity_id: str, **args: str) -> str:
    return f"/lineage/{quote(entity_id, safe='')}?{urlencode(args)}"


@pytest.mark.usefixtures("week")
def test_one_chooses_a_kind_and_days_and_sees_those_edges_alone(client_of: ClientOf) -> None:
    vera = client_of("vera")
    page = Shown(vera.get(path_of(RUN[1])).text)
    assert page.form.get("method") == "get"
    assert page.edges == [kind.value for kind in DAYS]
    options = [option.get("value") for option in page.form.iter("option")]
    assert options == ["", *(kind.value for kind in EdgeType)]
    for typed, expected in (
        ({"edge_type": "IDEMPOTENCY_TO_RUN"}, ["IDEMPOTENCY_TO_RUN"]),
        ({"from": "2026-03-03"}, ["IDEMPOTENCY_TO_RUN", "DERIVED_FROM"]),
        ({"to": "2026-03-03"}, ["CORRELATION_TO_RUN", "IDEMPOTENCY_TO_RUN"]),
        ({"from": "2026-03-03", "to": "2026-03-03"}, ["IDEMPOTENCY_TO_RUN"]),
        ({"from": "2026-03-03", "edge_type": "DERIVED_FROM"}, ["DERIVED_FROM"]),
    ):
        shown = Shown(vera.get(page.sent(**typed)).text)
        assert shown.edges == expected, typed
        assert shown.fields == {"edge_type": "", "from": "", "to": "", **typed}


@pytest.mark.usefixtures("week")
def test_filters_reach_further_steps_and_stay_while_one_looks_further(client_of: ClientOf) -> None:
    vera = client_of("vera")
    near = Shown(vera.get(path_of("corr/1", edge_type="DERIVED_FROM")).text)
    assert near.edges == []
    assert "No edge fits these filters" in "".join(near.tree.itertext())
    far = Shown(vera.get(path_of("corr/1", edge_type="derived_from", depth="2")).text)
    assert far.edges == ["DERIVED_FROM"]
    assert far.fields == {"depth": "2", "edge_type": "DERIVED_FROM", "from": "", "to": ""}
    assert parse_qs(urlsplit(far.link("3")).query) == {"depth": ["3"], "edge_type": ["derived_from"]}
    assert far.link("Clear") == path_of("corr/1", depth="2")


@SQLITE
def test_every_page_of_a_long_list_is_filtered(app: Flask, client_of: ClientOf) -> None:
    centre, size = (EntityKind.CORRELATION, "corr-wide"), 130
    with app.app_context(), transaction() as session:
        for number in range(size):
            ends = centre, (EntityKind.RUN, f"rr_{number:08x}")
            add_edge(session, EdgeType.CORRELATION_TO_RUN, *ends, tenant_id="default", now=NOW)
            add_edge(session, EdgeType.CAUSED_BY, *ends, tenant_id="default", now=NOW)
    vera, path, seen = client_of("vera"), path_of("corr-wide", edge_type="CAUSED_BY"), []
    while path:
        page = Shown(vera.get(path).text)
        seen += page.edges
        onward = page.tree.find(".//a[@rel='next']")
        path = "" if onward is None else onward.get("href")
    assert seen == ["CAUSED_BY"] * size


@SQLITE
@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"from": "last <week>", "edge_type": "DERIVED_FROM"}, "from", "From is a day such as 2026-01-31."),
        ({"from": "2026-03-04", "to": "2026-03-02"}, "to", "The range ends before it starts."),
        ({"to": "2026-02-30"}, "to", "To is a day such as 2026-01-31."),
        ({"edge_type": "LIKES", "from": "2026-03-04"}, "edge_type", "Choose a kind of edge from the list."),
    ],
)
def test_what_is_wrong_comes_back_as_it_was_written(
    client_of: ClientOf, typed: dict[str, str], name: str, sentence: str
) -> None:
    answer = client_of("vera").get(path_of(RUN[1], depth="2", **typed))
    assert answer.status_code == 422
    page = Shown(answer.text)
    assert page.edges == []
    (problem,) = page.tree.findall(".//div[@class='error-summary']//a")
    assert (problem.get("href"), problem.text) == (f"#{name}", sentence)
    field = page.tree.find(f".//*[@id='{name}']")
    assert field.get("aria-invalid") == "true"
    assert sentence in "".join(page.tree.find(f".//*[@id='{field.get('aria-describedby')}']").itertext())
    kept = {key: value for key, value in typed.items() if value != "LIKES"}
    assert page.fields == {"depth": "2", "edge_type": "", "from": "", "to": "", **kept}
    if name != "edge_type":
        assert field.get("type") == "text"


@SQLITE
@pytest.mark.usefixtures("week")
def test_an_id_that_names_something_else_leads_there_with_its_filters(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    led = vera.get(path_of(run_id.replace("rr_", "dra_"), depth="2", edge_type="CAUSED_BY"))
    assert led.location == path_of(run_id, depth="2", edge_type="CAUSED_BY")
    unknown = vera.get(path_of("nobody-knows-it", edge_type="CAUSED_BY"))
    assert unknown.status_code == 404
    assert Shown(unknown.text).form is None
