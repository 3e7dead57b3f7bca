"""Lineage: any id leads to what hangs together with it, drawn and listed, however much or little there is."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask

from lotus_web.domain.items.actions import Action
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.queries.operations.lookup import stored_operation
from lotus_web.services.lineage import add_edge
from lotus_web.store.session import db, transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS
from tests.support import runs
from tests.support.analyses import accept
from tests.support.histories import NOW
from tests.support.people import untitled

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_LINEAGE_APIS_ENABLED="true")
SQLITE = pytest.mark.stores("sqlite")


def lineage_of(entity_id: str, depth: int = 1) -> str:
    return f"/lineage/{quote(entity_id, safe='')}" + (f"?depth={depth}" if depth > 1 else "")


def drawn(page: str) -> list[str]:
    """Return the ids of the boxes."""
    return [unescape(found) for found in re.findall(r"<title>([^<]+)</title>\s*<rect class=\"graph__box\"", page)]


def fan(app: Flask, size: int, tenant_id: str = "default") -> None:
    """Let many runs hang on one correlation."""
    with app.app_context(), transaction() as session:
        for number in range(size):
            ends = (EntityKind.CORRELATION, "corr-wide"), (EntityKind.RUN, f"rr_{number:08x}")
            add_edge(session, EdgeType.CORRELATION_TO_RUN, *ends, tenant_id=tenant_id, now=NOW)


def analysis(app: Flask) -> tuple[str, str]:
    """Carry an analysis out and return the ids of its operation and its batch."""
    with app.app_context():
        operation_id = accept(inline=True).operation_id
        batch_id = stored_operation(db.session(), "default", operation_id).row.subject_id
        db.session.remove()
    return operation_id, batch_id


def test_a_run_is_drawn_with_what_it_answers_to_and_what_was_decided(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    runs.act(app, runs.item_of(run_id), Action.APPROVE, by=TOMAS, text="Fine.")
    page = client_of("vera").get(lineage_of(run_id)).text
    boxes = drawn(page)
    assert {"corr-key-1", "key-1", run_id} < set(boxes)
    assert len(boxes) == 4
    for name in ("Correlation to run", "Idempotency to run", "Decided by"):
        assert f">{name}</text>" in page
    for edge_type in ("CORRELATION_TO_RUN", "IDEMPOTENCY_TO_RUN", "DECIDED_BY"):
        assert f"<code>{edge_type}</code>" in page
    assert f'href="/runs/{run_id}"' in page
    assert 'href="/lineage/key-1"' in page


def test_any_kind_of_id_has_its_page(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    operation_id, batch_id = analysis(app)
    vera = client_of("vera")
    for entity_id in (run_id, "corr-key-1", "key-1", operation_id, batch_id, "corr-desk", "corr-desk:capped"):
        page = vera.get(lineage_of(entity_id))
        assert page.status_code == 200, entity_id
        assert entity_id in drawn(page.text)


def test_what_has_no_edges_itself_leads_to_the_run_that_it_names(app: Flask, client_of: ClientOf) -> None:
    run_id = runs.record(app)
    vera = client_of("vera")
    run_page = vera.get(f"/runs/{run_id}").text
    request_hash = unescape(run_page.partition("request_hash=")[2].partition('"')[0]).replace("%3A", ":")
    for entity_id in (run_id.replace("rr_", "dra_"), runs.item_of(run_id), request_hash):
        assert vera.get(lineage_of(entity_id)).location == f"/lineage/{run_id}", entity_id


@SQLITE
def test_the_form_leads_to_any_id_whatever_it_is_made_of(app: Flask, client_of: ClientOf) -> None:
    vera = client_of("vera")
    for entity_id in ("a/b:c d", "<script>alert(1)</script>", "ключ 🙂", ".."):
        runs.record(app, runs.CLEAN, key=f"k{len(entity_id)}", correlation_id=entity_id)
        asked = vera.get(f"/lineage?id={quote(entity_id)}")
        assert asked.status_code == 303
        page = vera.get(asked.location)
        assert entity_id in drawn(page.text)
        assert "<script>alert" not in page.text


@SQLITE
def test_steps_walk_further_and_a_number_that_is_none_is_refused(app: Flask, client_of: ClientOf) -> None:
    operation_id, batch_id = analysis(app)
    vera = client_of("vera")
    near, far = (drawn(vera.get(lineage_of("corr-desk:capped", depth)).text) for depth in (1, 3))
    assert len(near) == 2
    assert {operation_id, batch_id, *near} <= set(far)
    for depth in ("0", "6", "two", "-1"):
        assert vera.get(f"/lineage/{operation_id}?depth={depth}").status_code == 422


def test_too_much_to_draw_is_told_and_the_table_loses_nothing(app: Flask, client_of: ClientOf) -> None:
    fan(app, 250)
    vera, url, seen = client_of("vera"), lineage_of("corr-wide"), []
    while url:
        page = vera.get(url).text
        assert "<svg class=" in page or "Too much to draw" in page
        assert drawn(page) == []
        seen += re.findall(r'title="(rr_\w+)"', page)
        url = unescape(page.partition('rel="next" href="')[2].partition('"')[0])
    assert sorted(seen) == [f"rr_{number:08x}" for number in range(250)]


@SQLITE
@pytest.mark.parametrize(("size", "is_drawn"), [(59, True), (60, False)])
def test_sixty_ids_are_drawn_and_not_one_more(app: Flask, client_of: ClientOf, size: int, is_drawn: bool) -> None:
    fan(app, size)
    assert bool(drawn(client_of("vera").get(lineage_of("corr-wide")).text)) is is_drawn


def test_an_unknown_id_and_another_tenants_have_the_same_designed_page(app: Flask, client_of: ClientOf) -> None:
    theirs = runs.record(app, tenant="zurich")
    fan(app, 3, tenant_id="zurich")
    vera = client_of("vera")
    for entity_id in (theirs, "corr-wide", "nobody-knows-it", runs.item_of(theirs)):
        page = vera.get(lineage_of(entity_id))
        assert page.status_code == 404
        assert "No lineage for this id" in page.text
        assert drawn(page.text) == []


@SQLITE
def test_the_start_offers_recent_runs_and_says_when_there_are_none(app: Flask, client_of: ClientOf) -> None:
    vera = client_of("vera")
    assert "No lineage yet" in vera.get("/lineage").text
    run_id = runs.record(app)
    assert f'href="/lineage/{run_id}?depth=2"' in vera.get("/lineage").text


@SQLITE
def test_htmx_gets_the_fragment_alone(app: Flask, client_of: ClientOf) -> None:
    answer = client_of("vera").get(lineage_of(runs.record(app)), headers=HTMX)
    assert untitled(answer.text).startswith('<div id="lineage"')
    assert "HX-Request" in answer.headers["Vary"]


@SQLITE
def test_a_wrong_cursor_is_refused(app: Flask, client_of: ClientOf) -> None:
    assert client_of("vera").get(f"/lineage/{runs.record(app)}?cursor=x").status_code == 422


def test_the_page_of_a_run_shows_its_first_step(app: Flask, client_of: ClientOf) -> None:
    alone, item = runs.record(app, runs.CLEAN, key="b"), runs.item(app)
    vera = client_of("vera")
    for page in (vera.get(f"/runs/{alone}").text, vera.get(f"/inbox/{quote(item, safe='')}").text):
        assert 'id="run-lineage"' in page
        assert "Recorded under" in page


@pytest.mark.environ(DPM_LINEAGE_APIS_ENABLED="false")
@SQLITE
def test_switched_off_the_pages_say_so_and_nothing_leads_there(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    for path in ("/lineage", lineage_of(run_id), "/lineage?id=x", f"/lineage/{run_id}?depth=nonsense"):
        answer = vera.get(path)
        assert answer.status_code == 404
        assert "Lineage is switched off by the operator" in answer.text
    assert 'href="/lineage' not in vera.get(f"/runs/{run_id}").text


@pytest.mark.environ(DPM_SUPPORT_APIS_ENABLED="false")
@SQLITE
def test_without_support_there_is_no_lineage_either(app: Flask, client_of: ClientOf) -> None:
    run_id, vera = runs.record(app), client_of("vera")
    assert vera.get(lineage_of(run_id)).status_code == 404
    page = vera.get(f"/runs/{run_id}")
    assert page.status_code == 200
    assert 'id="follow-up"' not in page.text
