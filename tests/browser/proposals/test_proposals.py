"""A proposal in a browser: from its form to its execution by two people, with and without scripts, and no page has a fault."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.proposals.states import ProposalState
from tests.browser.console import open_store, sign_in
from tests.browser.looks import faults, look_over
from tests.servers.live_server import LiveServer
from tests.support import proposals, runs
from tests.support.people import hire

REQUEST = runs.request_of(runs.CLEAN)
PORTFOLIO = REQUEST["portfolio_snapshot"]["portfolio_id"]
LARGEST, OTHER = (REQUEST["portfolio_snapshot"]["positions"][place]["instrument_id"] for place in (0, 1))
PHONE, SCREEN = {"width": 375, "height": 800}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store, with an adviser, a reviewer and a portfolio of which a run is stored."""
    app = open_store(live_server)
    hire(app, "leo")
    hire(app, "nora")
    runs.record(app, runs.CLEAN)
    return app


def take(page: Page, step: str, comment: str = "") -> None:
    """Open a step of the proposal and press its button."""
    page.locator(f"#step-{step} > summary").click()
    page.fill(f"#{step}-comment", comment)
    page.locator(f"#step-{step} button[type=submit]").click()


def filled(page: Page, server: LiveServer, title: str) -> None:
    """Choose the portfolio and fill the form: a sale, a row too many that goes again, and a purchase."""
    page.goto(f"{server.url}/proposals")
    page.locator(".page-header__actions").get_by_role("link", name="New proposal").click()
    page.fill("#portfolio_id", PORTFOLIO)
    page.get_by_role("button", name="Continue").click()
    page.fill("#trade-0-instrument_id", LARGEST)
    page.select_option("#trade-0-side", "SELL")
    page.fill("#trade-0-size", "10")
    page.fill("#title", title)
    for row in (1, 2):
        page.get_by_role("button", name="Add a trade").click()
        expect(page.locator(f"#trade-{row}-instrument_id")).to_be_visible()
    page.get_by_role("button", name="Remove trade 3").click()
    expect(page.locator("#trade-2-instrument_id")).to_have_count(0)
    page.fill("#trade-1-instrument_id", OTHER)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["375", "1280"])
def test_from_a_draft_to_its_execution_by_two_people(
    page: Page, plain_page: Page, store: Flask, live_server: LiveServer, script: bool, size: dict[str, int]
) -> None:
    page = page if script else plain_page
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, live_server, "leo")
    title = f"Switch on {size['width']} {'with' if script else 'without'} scripts"
    filled(page, live_server, title)
    page.get_by_role("button", name="Create proposal").click()
    expect(page.locator("#trade-1-size-error")).to_contain_text("Enter the size of trade 2.")
    expect(page.locator("#trade-0-size")).to_have_value("10")
    page.fill("#trade-1-size", "5")
    page.locator("#check-panel").get_by_role("button", name="Simulate").click()
    expect(page.locator("#simulated")).to_contain_text(OTHER)
    page.get_by_role("button", name="Create proposal").click()
    page.wait_for_url("**/proposals/pp_*")
    address = page.url
    expect(page.locator("h1")).to_have_text(title)
    take(page, "submit_risk", "For tomorrow.")
    expect(page.locator("#flashes")).to_contain_text("submitted for risk review")

    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=open")
    page.get_by_role("link", name=title).first.click()
    page.locator("#fold-approve > summary").click()
    page.select_option("#approve-reason_code", "WITHIN_MANDATE")
    page.locator("#fold-approve button[type=submit]").click()
    expect(page.locator("#decide")).to_contain_text("Approved")

    sign_in(page, live_server, "leo")
    page.goto(address)
    expect(page.locator("#approvals")).to_contain_text("Risk approved")
    take(page, "consent", "By phone.")
    take(page, "execute")
    expect(page.locator("#steps")).to_contain_text("The proposal has ended")
    expect(page.locator("#timeline")).to_contain_text("recorded the execution of version 1")


@pytest.fixture
def leo(store: Flask, live_server: LiveServer, page: Page) -> Page:
    """A page on which leo has signed in; it fails the test when a script breaks."""
    sign_in(page, live_server, "leo")
    return page


def test_the_form_says_what_is_wrong_while_one_types(leo: Page, live_server: LiveServer) -> None:
    filled(leo, live_server, "Checked as it is typed")
    expect(leo.locator("#trade-1-instrument_id")).to_have_value(OTHER)
    leo.locator("#trade-1-size").press_sequentially("1,5")
    expect(leo.locator("#check")).to_contain_text("Enter a number such as 1500.25")
    expect(leo.locator("#trade-1-size")).to_be_focused()
    leo.fill("#trade-1-size", "5")
    expect(leo.locator("#check")).to_contain_text("Buys")
    expect(leo.locator("#title")).to_have_value("Checked as it is typed")


def test_no_page_has_a_fault(leo: Page, store: Flask, live_server: LiveServer) -> None:
    with store.app_context():
        proposal_id = proposals.led_to(proposals.proposed().proposal_id, ProposalState.AWAITING_CLIENT_CONSENT)
        proposals.versioned(proposal_id)
    found = look_over(leo, {"awaiting consent": f"{live_server.url}/proposals/{proposal_id}"})
    filled(leo, live_server, "")
    leo.get_by_role("button", name="Create proposal").click()
    expect(leo.locator("#trade-1-size-error")).to_be_visible()
    found += faults(leo, "the form with a fault")
    leo.fill("#trade-1-size", "5")
    leo.locator("#check-panel").get_by_role("button", name="Simulate").click()
    expect(leo.locator("#simulated")).to_be_visible()
    found += faults(leo, "the simulated form")
    leo.goto(f"{live_server.url}/proposals/new/json")
    leo.fill("#document", "{}")
    leo.get_by_role("button", name="Simulate").click()
    expect(leo.locator(".error-summary")).to_be_visible()
    found += faults(leo, "a document with faults")
    assert found == []
