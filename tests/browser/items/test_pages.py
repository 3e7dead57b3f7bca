"""Every page of the review desk, in both themes at three widths: no fault that axe finds, nothing to the side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.items.actions import Action
from tests.browser.conftest import Axe
from tests.browser.looks import faults, faults_folded_and_unfolded, faults_in_any_look, unfold
from tests.browser.review_desk import item_url, open_store, save_view, sign_in
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs as desk
from tests.support.people import hire

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with people, open and decided items, and runs of every kind."""
    app = open_store(live_server)
    for name in ("nora", "max", "ada", "vera"):
        hire(app, name)
    desk.item(app, key="late", age=timedelta(hours=5))
    desk.item(app, desk.TURNOVER, key="soon", age=timedelta(hours=3, minutes=45))
    long = "a-very-long-portfolio-name-without-any-place-to-break-" * 2
    desk.item(app, desk.CAPPED, key="long", correlation_id=f"corr-{long}")
    claimed = desk.item(app, desk.CASH_TOO_LOW, key="claimed")
    desk.act(app, claimed, Action.CLAIM, by=TOMAS)
    for number, action in enumerate((Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE)):
        desk.act(app, desk.item(app, key=f"done-{number}"), action, by=TOMAS, text="A reason. " * 20)
    return app


@pytest.fixture(scope="module")
def addresses(store: Flask, live_server: LiveServer) -> dict[str, str]:
    """What to look at, by name."""
    run = {kind: desk.record(store, kind, key=f"alone-{kind}") for kind in (desk.CLEAN, desk.NO_PRICE, desk.TAXED)}
    url = live_server.url
    return {
        "the inbox": f"{url}/inbox?tab=open",
        "the inbox, filtered to nothing": f"{url}/inbox?tab=open&q=nothing-like-it&person=nora",
        "what is mine, empty": f"{url}/inbox?tab=mine",
        "what is closed": f"{url}/inbox?tab=closed",
        "an item": item_url(live_server, desk.item(store, desk.TURNOVER, key="looked-at")),
        "a clean run": f"{url}/runs/{run[desk.CLEAN]}",
        "a blocked run": f"{url}/runs/{run[desk.NO_PRICE]}",
        "a taxed run": f"{url}/runs/{run[desk.TAXED]}",
        "its result": f"{url}/runs/{run[desk.CLEAN]}/raw",
        "the runs": f"{url}/runs",
        "no runs": f"{url}/runs?portfolio_id=none",
        "the decisions": f"{url}/decisions",
        "no decisions": f"{url}/decisions?actor_id=nobody",
        "a search": f"{url}/search?q=rebalance",
        "a search in vain": f"{url}/search?q=unheard-of",
        "an unknown item": f"{url}/inbox/none:exception:none",
    }


def test_no_page_has_a_fault(page: Page, live_server: LiveServer, addresses: dict[str, str], axe: Axe) -> None:
    sign_in(page, live_server, "nora")
    found = []
    for name, url in addresses.items():
        page.goto(url)
        found += faults_folded_and_unfolded(page, axe, name)
    assert found == []


def test_no_answer_to_a_form_has_a_fault(page: Page, store: Flask, live_server: LiveServer, axe: Axe) -> None:
    sign_in(page, live_server, "nora")
    item = desk.item(store, key="answers")
    page.goto(item_url(live_server, item))
    page.locator("#fold-reject > summary").click()
    page.get_by_role("button", name="Reject this run").click()
    page.locator(".error-summary").wait_for()
    found = faults_in_any_look(page, axe, "missing")
    page.select_option("#reject-reason_code", "LIMIT_BREACH")
    desk.act(store, item, Action.COMMENT, by=TOMAS, text="Mine.")
    page.get_by_role("button", name="Reject this run").click()
    page.locator("#outcome").wait_for()
    found += faults_in_any_look(page, axe, "conflict")
    page.get_by_role("button", name="Reject this run").click()
    page.get_by_text("Rejected.").first.wait_for()
    found += faults_in_any_look(page, axe, "done")
    assert found == []


def test_no_saved_view_has_a_fault(page: Page, store: Flask, live_server: LiveServer, axe: Axe) -> None:
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
    found += faults_folded_and_unfolded(page, axe, "saved")
    page.goto(f"{live_server.url}/inbox?tab=open&due=overdue")
    save_view(page, "Late")
    expect(page.locator(".error-summary")).to_be_focused()
    found += faults_folded_and_unfolded(page, axe, "a name that is taken")
    assert found == []


@pytest.mark.parametrize("name", ["vera", "max", "ada"])
def test_no_role_sees_a_fault(
    page: Page, live_server: LiveServer, addresses: dict[str, str], axe: Axe, name: str
) -> None:
    sign_in(page, live_server, name)
    found = []
    for where in ("the inbox", "an item"):
        page.goto(addresses[where])
        unfold(page)
        found += faults(page, axe, where)
    assert found == []


def test_twice_the_size_fits_without_scrolling_sideways(
    page: Page, live_server: LiveServer, addresses: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 640, "height": 450})
    sign_in(page, live_server, "nora")
    for where, url in addresses.items():
        page.goto(url)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), where
