"""What the browser tests of the control plane stand on: signing in again, the focus, and areas that ask again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.servers.live_server import LiveServer
from tests.support.people import PASSWORD


def sign_in_again(page: Page, name: str) -> None:
    """Fill in the sign-in form that came up in place of what was asked for."""
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")


def expect_focus_on_something(page: Page) -> None:
    """Wait until something has the focus: what comes in place gets it a moment after it can be seen."""
    expect(page.locator("body")).not_to_be_focused()


def refresh(page: Page, area: str, server: LiveServer) -> None:
    """Let an area ask the server again, as its clock would, and wait for what comes of it."""
    with page.expect_response(lambda answer: answer.url.startswith(server.url)):
        page.evaluate("area => htmx.trigger(area, 'lotus:refresh')", area)
