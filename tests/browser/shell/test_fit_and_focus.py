"""Between a phone and a wide screen nothing is cut off; what comes in place keeps its frame and the place in the list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.store.session import transaction
from tests.browser.console import item_url, open_store, refresh, sign_in
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.events import person
from tests.support.histories import STARTED, append, event, requested
from tests.support.people import bearer_of, hire

WIDTHS = (375, 700, 768, 900, 1024, 1100, 1280)
MAX = person("max", Role.MANAGER)
# How far the page is wider than its window, and which table of records hides a part of itself.
_CUT = """() => [
  ...(document.documentElement.scrollWidth > innerWidth ? [`by ${document.documentElement.scrollWidth - innerWidth}`] : []),
  ...[...document.querySelectorAll('.table-box--cards')].filter((box) => box.scrollWidth > box.clientWidth)
    .map((box) => box.getAttribute('aria-label')),
]"""


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with people, a token, and items that have precedents and escalations."""
    app = open_store(live_server)
    for name in ("nora", "max", "ada"):
        hire(app, name)
    bearer_of(app, "engine", Permission)
    for number, action in enumerate((Action.APPROVE, Action.REJECT, Action.ESCALATE)):
        done = runs.item(app, key=f"done-{number}", age=timedelta(minutes=20))
        runs.act(app, done, action, by=TOMAS, text="A reason of some length. " * 4, reason_code="OTHER")
    for hours in (1, 2, 3):
        runs.item(app, key=f"open-{hours}", age=timedelta(hours=hours))
    return app


def ask_in_words_without_end(app: Flask) -> str:
    """Have runs and another system ask for reviews in words that nothing breaks; return the id of the longest one."""
    word = "CUSTOMER_ACCOUNT_" + 240 * "X"

    def rename(body: dict[str, Any]) -> None:
        body["portfolio_snapshot"] = {**body["portfolio_snapshot"], "portfolio_id": word[:100]}

    run = runs.item(app, key="of-a-long-name", change=rename)
    with app.app_context(), transaction() as session:
        append(session, event(EventType.TRACE_STARTED, STARTED | {"title": word, "workflow": word[:90]}))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested(reason=word * 6)))
    other = "trace-1:exception:ex-1"
    for item in (run, other):
        runs.act(app, item, Action.COMMENT, by=TOMAS, text=word)
        runs.act(app, item, Action.REASSIGN, by=MAX, assigned_account_id="max", text=word)
    decided = runs.item(app, key="decided-by-a-long-name", change=rename)
    runs.act(app, decided, Action.REJECT, by=TOMAS, text=word, reason_code="OTHER")
    return other


def test_no_page_is_cut_off_at_any_width(page: Page, store: Flask, live_server: LiveServer) -> None:
    longest = ask_in_words_without_end(store)
    sign_in(page, live_server, "ada")
    url, found = live_server.url, []
    addresses = [
        *(f"{url}/inbox?tab={tab}" for tab in ("open", "closed")),
        item_url(live_server, runs.item(store, key="looked-at")),
        item_url(live_server, longest),
        *(f"{url}/{path}" for path in ("sla?person=max", "traces/trace-1", "studio/trace-1")),
        *(f"{url}/{path}" for path in ("runs", "decisions", "decisions/reasons", "sla", "studio", "audit", "support")),
        *(f"{url}/{path}" for path in ("admin", "admin/tokens", "admin/settings", "lineage", "operations")),
        f"{url}/notifications?state=all",
        f"{url}/search?q=rebalance",
    ]
    for address in addresses:
        page.goto(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{address} at {width} px: {cut}" for cut in page.evaluate(_CUT)]
    assert found == []


def test_every_button_of_a_row_can_be_seen(page: Page, store: Flask, live_server: LiveServer) -> None:
    for name, path in (("nora", "inbox?tab=open"), ("ada", "admin/tokens")):
        page.context.clear_cookies()
        sign_in(page, live_server, name)
        page.goto(f"{live_server.url}/{path}")
        buttons = page.locator(".table-box .button")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            edges = buttons.evaluate_all("all => all.map((one) => one.getBoundingClientRect().right)")
            assert edges
            assert max(edges) <= width, f"{path} at {width} px"


def test_the_sign_in_that_comes_in_place_stands_as_it_does_alone(
    page: Page, store: Flask, live_server: LiveServer
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{live_server.url}/login")
    alone = page.locator(".bare__card").bounding_box()
    page.locator("h1").click()
    page.keyboard.press("?")
    page.keyboard.press("/")
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=open")
    page.context.clear_cookies()
    page.locator("#inbox").get_by_role("button", name="Claim").first.click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    placed = page.locator(".bare__card").bounding_box()
    assert alone and placed
    assert (placed["x"], placed["width"]) == (alone["x"], alone["width"])
    assert abs((placed["y"] + placed["height"] / 2) - (alone["y"] + alone["height"] / 2)) <= 2
    page.locator("h1").click()
    page.keyboard.press("?")
    page.keyboard.press("/")


def test_the_place_in_the_list_is_kept_when_its_changes_are_shown(
    page: Page, store: Flask, live_server: LiveServer
) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=roles")
    rows = page.locator("[data-row] [data-open]")
    for key in "jj":
        page.keyboard.press(key)
    stood = rows.nth(1).get_attribute("href")
    expect(rows.nth(1)).to_be_focused()
    show = page.get_by_role("button", name="The list has changed. Show it")

    first = runs.item(store, key="earlier", age=timedelta(hours=9))
    refresh(page, "#inbox", live_server)
    show.click()
    expect(rows.nth(2)).to_be_focused()
    assert rows.nth(2).get_attribute("href") == stood

    runs.act(store, first, Action.APPROVE, by=TOMAS, text="Fine.")
    run_id = str(stood).partition("?")[0].rpartition("%3A")[2]
    runs.act(store, f"corr-open-2:exception:{run_id}", Action.APPROVE, by=TOMAS, text="Fine.")
    refresh(page, "#inbox", live_server)
    show.click()
    expect(rows.locator(":scope:focus")).to_have_count(1)
    assert rows.locator(":scope:focus").get_attribute("href") != stood


def test_the_list_of_keys_offers_to_select_a_row_only_where_that_works(
    page: Page, store: Flask, live_server: LiveServer
) -> None:
    sign_in(page, live_server, "max")
    runs.item(store, key="late", age=timedelta(hours=7))
    for path, offered in (("inbox?tab=open", False), ("sla", True)):
        page.goto(f"{live_server.url}/{path}")
        page.keyboard.press("?")
        expect(page.get_by_text("Next row", exact=True)).to_be_visible()
        expect(page.get_by_text("Select the row", exact=True)).to_be_visible(visible=offered)
