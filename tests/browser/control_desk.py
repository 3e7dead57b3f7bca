"""What the browser tests of the control plane stand on: a page without scripts, and where the focus is."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.live_server import LiveServer
from tests.people import PASSWORD


def sign_in_again(page: Page, name: str) -> None:
    """Fill in the sign-in form that came up in place of what was asked for."""
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")


def focused(page: Page) -> str:
    """Return what has the focus: its tag and its id or class."""
    found: str = page.evaluate(
        "document.activeElement.localName + '#' + (document.activeElement.id || document.activeElement.className)"
    )
    return found


def refresh(page: Page, area: str, server: LiveServer) -> None:
    """Let an area ask the server again, as its clock would, and wait for what comes of it."""
    with page.expect_response(lambda answer: answer.url.startswith(server.url)):
        page.evaluate("area => htmx.trigger(area, 'lotus:refresh')", area)
