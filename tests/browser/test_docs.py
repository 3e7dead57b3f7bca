"""The reference in a browser: readable by everyone, on a phone, in the dark, without scripts."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Axe
from tests.browser.looks import faults_in_any_look
from tests.live_server import LiveServer

PHONE = {"width": 375, "height": 800}
# The whole page is too long to be looked over six times.
SHOWN = "#route-simulate, #route-decide, #begin, #everywhere, .page-header, #shape-Money"


def test_nobody_is_shut_out(live_server: LiveServer, page: Page, axe: Axe) -> None:
    page.goto(f"{live_server.url}/docs#route-simulate")
    page.locator("#route-simulate summary").first.click()
    assert faults_in_any_look(page, axe, "the reference", SHOWN) == []


def test_it_needs_no_script(live_server: LiveServer, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Review gate").click()
    expect(page.get_by_role("heading", name="Review gate")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator("#route-decide").get_by_text("Example body").click()
    expect(page.locator("#route-decide pre").first).to_contain_text('"action": "APPROVE"')
    context.close()


def test_choosing_a_chapter_puts_the_contents_away(live_server: LiveServer, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Review gate").click()
    expect(page.locator("#rail")).to_be_hidden()
    expect(page.get_by_role("heading", name="Review gate")).to_be_in_viewport()
