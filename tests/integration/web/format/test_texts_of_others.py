"""Texts that others wrote: however long, a row takes a few lines of it; whatever their direction, they keep it to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask

from lotus_web.domain.access import Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS
from tests.support import runs
from tests.support.events import person
from tests.support.histories import STARTED, append, event, requested

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
HEBREW = "חריגה ממגבלה"
LONG = f"{HEBREW} " + "again and again " * 200
ITEM = "/inbox/trace-1%3Aexception%3Aex-1"


def tell(app: Flask) -> None:
    """Have another system ask for a review in a long text that runs from right to left."""
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED | {"title": f"{HEBREW} (title)"}))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested(reason=LONG)))


def holders_of(page: str, text: str) -> Iterator[list[Element]]:
    """Yield the elements around each place that begins with a text, the innermost first."""
    tree = html5lib.parse(page, namespaceHTMLElements=False).find("body")
    parents = {child: parent for parent in tree.iter() for child in parent}
    for element in tree.iter():
        if isinstance(element.tag, str) and (element.text or "").strip().startswith(text):
            around = [element]
            while around[-1] in parents:
                around.append(parents[around[-1]])
            yield around


def isolated(around: list[Element]) -> bool:
    return around[0].tag == "bdi" or around[0].get("dir") == "auto"


@pytest.mark.parametrize(
    ("path", "places"),
    [("/inbox?tab=open", 2), ("/sla?person=max", 1), (ITEM, 2), ("/traces/trace-1", 2), ("/search?q=title", 1)],
)
def test_rows_and_headings_keep_a_text_to_its_own_direction(
    app: Flask, client_of: ClientOf, path: str, places: int
) -> None:
    tell(app)
    max_ = client_of("max")
    runs.act(app, "trace-1:exception:ex-1", Action.REASSIGN, by=person("max", Role.MANAGER), assigned_account_id="max")
    found = [
        around
        for around in holders_of(max_.get(path).text, HEBREW)
        # What only screen readers hear stands alone, and a payload is a listing.
        if not {"visually-hidden", "raw__text"} & {name for one in around for name in one.get("class", "").split()}
    ]
    assert len(found) >= places
    assert [around[0].tag for around in found if not isolated(around)] == []


def test_rows_cut_what_the_item_tells_whole(app: Flask, client_of: ClientOf) -> None:
    tell(app)
    max_ = client_of("max")
    whole = LONG.strip()
    assert whole in max_.get(ITEM).text
    (cut,) = re.findall(
        r'<td data-wide class="why">\s*<span class="clamp" dir="auto">([^<]*)</span>', max_.get("/inbox?tab=open").text
    )
    assert len(cut) <= 405
    assert cut.endswith("…")
    assert whole.startswith(cut.removesuffix("…"))


def test_a_long_comment_is_cut_in_the_list_of_decisions(app: Flask, client_of: ClientOf) -> None:
    item = runs.item(app)
    runs.act(app, item, Action.APPROVE, by=TOMAS, text=LONG.strip(), reason_code="OTHER")
    page = client_of("max").get("/decisions").text
    (cut,) = re.findall(r'<span class="clamp row-note row-note--lines" dir="auto">([^<]*)</span>', page)
    assert 300 < len(cut) <= 405
