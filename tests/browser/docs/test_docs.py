"""The reference in a browser: readable by everyone, on a phone, in the dark, without scripts."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import HEIGHT, WIDTHS, faults, scrolls_sideways
from tests.servers.live_server import LiveServer

PHONE = {"width": 375, "height": 800}
# What is alike is looked over once: of all the routes two, and of the shapes one.
PRUNE = """() => document.querySelectorAll('.route, .shape').forEach((part) => {
  if (!part.matches('#route-simulate, #route-decide, #shape-Money')) part.remove();
})"""


def test_nobody_is_shut_out(live_server: LiveServer, page: Page) -> None:
    page.goto(f"{live_server.url}/docs#route-simulate")
    page.locator("#route-simulate summary").first.click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert not scrolls_sideways(page), width
    page.evaluate(PRUNE)
    assert faults(page, "the reference") == []


def test_it_needs_no_script(live_server: LiveServer, plain_page: Page) -> None:
    page = plain_page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Review gate").click()
    expect(page.get_by_role("heading", name="Review gate")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator("#route-decide").get_by_text("Example body").click()
    expect(page.locator("#route-decide pre").first).to_contain_text('"action": "APPROVE"')


def test_choosing_a_chapter_puts_the_contents_away(live_server: LiveServer, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Review gate").click()
    expect(page.locator("#rail")).to_be_hidden()
    expect(page.get_by_role("heading", name="Review gate")).to_be_in_viewport()
