"""The states of items, runs, the inbox and lists, in both themes at three widths: no fault that axe finds, nothing to the side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.items.actions import Action
from tests.browser.console import item_url, open_store, save_view, sign_in
from tests.browser.looks import faults, faults_folded_and_unfolded, look_over, scrolls_sideways, unfold
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.people import hire


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with people, open and decided items, and runs of every kind."""
    app = open_store(live_server)
    for name in ("nora", "max", "ada", "vera"):
        hire(app, name)
    runs.item(app, key="late", age=timedelta(hours=5))
    runs.item(app, runs.TURNOVER, key="soon", age=timedelta(hours=3, minutes=45))
    long = "a-very-long-portfolio-name-without-any-place-to-break-" * 2
    runs.item(app, runs.CAPPED, key="long", correlation_id=f"corr-{long}")
    claimed = runs.item(app, runs.CASH_TOO_LOW, key="claimed")
    runs.act(app, claimed, Action.CLAIM, by=TOMAS)
    for number, action in enumerate((Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE)):
        runs.act(app, runs.item(app, key=f"done-{number}"), action, by=TOMAS, text="A reason. " * 20)
    return app


@pytest.fixture(scope="module")
def addresses(store: Flask, live_server: LiveServer) -> dict[str, str]:
    """What to look at, by name."""
    run = {kind: runs.record(store, kind, key=f"alone-{kind}") for kind in (runs.CLEAN, runs.NO_PRICE, runs.TAXED)}
    url = live_server.url
    return {
        "the inbox": f"{url}/inbox?tab=open",
        "the inbox, filtered to nothing": f"{url}/inbox?tab=open&q=nothing-like-it&person=nora",
        "what is mine, empty": f"{url}/inbox?tab=mine",
        "what is closed": f"{url}/inbox?tab=closed",
        "an item": item_url(live_server, runs.item(store, runs.TURNOVER, key="looked-at")),
        "a clean run": f"{url}/runs/{run[runs.CLEAN]}",
        "a blocked run": f"{url}/runs/{run[runs.NO_PRICE]}",
        "a taxed run": f"{url}/runs/{run[runs.TAXED]}",
        "no runs": f"{url}/runs?portfolio_id=none",
        "no decisions": f"{url}/decisions?actor_id=nobody",
        "a search": f"{url}/search?q=rebalance",
        "a search in vain": f"{url}/search?q=unheard-of",
        "an unknown item": f"{url}/inbox/none:exception:none",
    }


def test_no_page_has_a_fault(page: Page, live_server: LiveServer, addresses: dict[str, str]) -> None:
    sign_in(page, live_server, "nora")
    assert look_over(page, addresses) == []


def test_no_answer_to_a_form_has_a_fault(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "nora")
    item = runs.item(store, key="answers")
    page.goto(item_url(live_server, item))
    page.locator("#fold-reject > summary").click()
    page.get_by_role("button", name="Reject this run").click()
    page.locator(".error-summary").wait_for()
    found = faults(page, "missing")
    page.select_option("#reject-reason_code", "LIMIT_BREACH")
    runs.act(store, item, Action.COMMENT, by=TOMAS, text="Mine.")
    page.get_by_role("button", name="Reject this run").click()
    page.locator("#outcome").wait_for()
    found += faults(page, "conflict")
    page.get_by_role("button", name="Reject this run").click()
    page.get_by_text("Rejected.").first.wait_for()
    found += faults(page, "done")
    assert found == []


def test_no_saved_view_has_a_fault(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "vera")
    found = []
    for tab, name in (
        ("open", "Late"),
        ("roles", "A long name that goes on for sixty letters, no less."),
        ("closed", "x" * 60),
    ):
        page.goto(f"{live_server.url}/inbox?tab={tab}")
        save_view(page, name)
        expect(page.locator("#views .notice")).to_be_focused()
    found += faults_folded_and_unfolded(page, "saved")
    page.goto(f"{live_server.url}/inbox?tab=open&due=overdue")
    save_view(page, "Late")
    expect(page.locator(".error-summary")).to_be_focused()
    found += faults_folded_and_unfolded(page, "a name that is taken")
    assert found == []


def test_no_role_sees_a_fault(page: Page, live_server: LiveServer, addresses: dict[str, str]) -> None:
    found = []
    for name in ("vera", "max", "ada"):
        sign_in(page, live_server, name)
        for where in ("the inbox", "an item"):
            page.goto(addresses[where])
            unfold(page)
            found += faults(page, f"{where} of {name}")
    assert found == []


def test_twice_the_size_fits_without_scrolling_sideways(
    page: Page, live_server: LiveServer, addresses: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 640, "height": 450})
    sign_in(page, live_server, "nora")
    for where, url in addresses.items():
        page.goto(url)
        assert not scrolls_sideways(page), where
