"""A reviewer clears ten items with the keyboard alone, and never loses the focus; without scripts the list works as well."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.access import Role
from tests.browser.console import open_store, sign_in, sign_in_again
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.histories import count
from tests.support.people import hire

ITEMS = 10


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with two reviewers in it."""
    app = open_store(live_server)
    for name in ("nora", "rita"):
        hire(app, name, Role.REVIEWER)
    return app


@pytest.fixture
def waiting(store: Flask, request: pytest.FixtureRequest) -> int:
    """How many items wait for any reviewer: those left over and ten new ones."""
    for number in range(ITEMS):
        runs.item(store, key=f"{request.node.name}-{number}", age=timedelta(minutes=60 + number))
    with store.app_context():
        return count("dg_workflow_items", "resolved_at IS NULL AND status = 'requested'")


def approved(store: Flask) -> int:
    """Return how many items are approved."""
    with store.app_context():
        return count("dg_workflow_items", "status = 'approved'")


def test_ten_items_by_keyboard_alone(page: Page, store: Flask, live_server: LiveServer, waiting: int) -> None:
    sign_in(page, live_server, "nora")
    before = approved(store)
    page.goto(f"{live_server.url}/inbox?tab=roles")
    page.keyboard.press("w")
    for number in range(1, ITEMS + 1):
        expect(page.locator(".queue__place")).to_have_text(f"{number} of {waiting}")
        page.keyboard.press("a")
        expect(page.locator("#approve-reason_code")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type(f"Looked at number {number}.")
        page.keyboard.press("Tab")
        title = page.locator("h1").inner_text()
        page.keyboard.press("Enter")
        told = page.locator("#item .notice").first
        expect(told).to_contain_text(f"Approved. {title}" if number < waiting else "That was the last of this list.")
        expect(told).to_be_focused()
    assert approved(store) - before == ITEMS


def test_what_was_opened_on_one_item_is_closed_on_the_next(
    page: Page, store: Flask, live_server: LiveServer, waiting: int
) -> None:
    runs.item(store, runs.CASH_TOO_LOW, key="of-another-name", age=timedelta(hours=3))
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=roles")
    page.keyboard.press("w")
    expect(page.locator(".queue__place")).to_have_text(f"1 of {waiting + 1}")
    first = page.title()
    page.keyboard.press("a")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Approve this run").click()
    expect(page.locator(".queue__place")).to_have_text(f"2 of {waiting + 1}")
    expect(page).to_have_title(f"{page.locator('h1').inner_text()} · Lotus")
    assert page.title() != first
    expect(page.locator("#fold-approve")).not_to_have_attribute("open", "")
    expect(page.locator("#approve-text")).to_have_value("")
    page.go_back()
    expect(page.locator(".queue__place")).to_have_text(f"1 of {waiting + 1}")
    expect(page).to_have_title(first)


def test_ten_items_without_scripts(plain_page: Page, store: Flask, live_server: LiveServer, waiting: int) -> None:
    page = plain_page
    sign_in(page, live_server, "rita")
    before = approved(store)
    page.goto(f"{live_server.url}/inbox?tab=roles")
    page.get_by_role("link", name="Work through this list").click()
    for number in range(1, ITEMS + 1):
        expect(page.locator(".queue__place")).to_have_text(f"{number} of {waiting}")
        page.locator("#fold-approve > summary").click()
        page.select_option("#approve-reason_code", "WITHIN_MANDATE")
        page.get_by_role("button", name="Approve this run").click()
        expect(page.locator("#flashes")).to_contain_text("Approved.")
    assert approved(store) - before == ITEMS


def test_the_next_item_is_handed_out_and_opened(page: Page, live_server: LiveServer, waiting: int) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox")
    page.get_by_role("button", name="Claim the next item").click()
    expect(page.locator("#decide")).to_contain_text("You hold this item.")
    expect(page.locator("#decide")).to_contain_text("The claim ends")


def test_a_lost_session_returns_to_the_place_in_the_list(page: Page, live_server: LiveServer, waiting: int) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=roles")
    page.keyboard.press("w")
    expect(page.locator(".queue__place")).to_have_text(f"1 of {waiting}")
    page.keyboard.press("a")
    page.keyboard.press("ArrowDown")
    page.fill("#approve-text", "Written before the session ended.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Approve this run").click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    sign_in_again(page, "nora")
    expect(page.locator("#approve-text")).to_have_value("Written before the session ended.")
    expect(page.locator(".queue__place")).to_have_text(f"1 of {waiting}")
