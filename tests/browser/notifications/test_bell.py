"""The bell counts while a page stays open, and reading lowers it without losing the focus."""

from __future__ import annotations

from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.console import expect_focus_on_something, open_store, sign_in, sign_in_again, sign_in_by_form
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.people import hire

_keys = count(1)


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with nora in it."""
    app = open_store(live_server)
    hire(app, "nora")
    return app


def tell(store: Flask) -> None:
    """Let nora's role be told something."""
    runs.item(store, key=f"key-{next(_keys)}")


def unread(page: Page) -> int:
    """Return the count on the bell."""
    label = page.locator("#bell").get_attribute("aria-label") or ""
    return int(label.split()[1])


def test_the_bell_counts_on_while_a_page_stays_open(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in_by_form(page, live_server, "nora")
    before = unread(page)
    tell(store)
    page.locator("#bell").focus()
    page.evaluate("htmx.trigger('#bell', 'lotus:read')")
    expect(page.locator("#bell")).to_have_attribute("aria-label", f"Notifications, {before + 1} unread")
    expect(page.locator("#bell")).to_be_focused()


def test_reading_one_and_then_all(page: Page, store: Flask, live_server: LiveServer) -> None:
    tell(store)
    tell(store)
    sign_in_by_form(page, live_server, "nora")
    page.locator("#bell").click()
    before = unread(page)
    page.get_by_role("button", name="Mark as read").first.click()
    expect(page.locator("#notifications .notice")).to_be_focused()
    expect(page.locator("#bell")).to_have_attribute("aria-label", f"Notifications, {before - 1} unread")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("#bell")).to_have_attribute("aria-label", "Notifications, 0 unread")
    expect(page.get_by_text("You have read everything")).to_be_visible()
    expect_focus_on_something(page)


def test_without_scripts(plain_page: Page, store: Flask, live_server: LiveServer) -> None:
    tell(store)
    sign_in_by_form(plain_page, live_server, "nora")
    before = unread(plain_page)
    plain_page.locator("#bell").click()
    plain_page.get_by_role("button", name="Mark as read").first.click()
    assert unread(plain_page) == before - 1
    expect(plain_page.locator("#flashes")).to_contain_text("Marked as read.")


def test_a_lost_session_leads_back_to_the_list(page: Page, store: Flask, live_server: LiveServer) -> None:
    tell(store)
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/notifications")
    page.context.clear_cookies()
    page.get_by_role("button", name="Mark as read").first.click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    sign_in_again(page, "nora")
    expect(page.get_by_role("heading", name="Notifications")).to_be_visible()
    assert unread(page) > 0
