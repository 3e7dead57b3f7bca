"""The console in a browser: the app on the live server's store, signing in as a person does, and areas that ask again."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web import create_app
from lotus_web.config.settings import Settings
from tests.servers.live_server import LiveServer
from tests.support import people
from tests.support.people import PASSWORD

# The session cookies of whoever has signed in, by the name, for as long as the store is the same.
_cookies: dict[str, Any] = {}


def open_store(server: LiveServer) -> Flask:
    """Return an app on the server's store, for services."""
    return create_app(Settings.from_environ(server.settings))


def forget_sign_ins() -> None:
    """Forget the cookies: the store that knew them is no more."""
    _cookies.clear()


def sign_in(page: Page, server: LiveServer, name: str) -> None:
    """Be signed in as someone from now on, with the cookie that the sign-in form gives. Opens no page."""
    if name not in _cookies:
        client = open_store(server).test_client()
        assert people.sign_in(client, name).status_code == 303
        cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        _cookies[name] = {"name": cookie.key, "value": cookie.value, "url": server.url, "httpOnly": cookie.http_only}
    page.context.add_cookies([_cookies[name]])


def sign_in_by_form(page: Page, server: LiveServer, name: str) -> None:
    """Sign in through the form, which leads to the inbox."""
    page.goto(f"{server.url}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{server.url}/inbox*")


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


def save_view(page: Page, name: str) -> None:
    """Save what the open inbox shows under a name."""
    page.get_by_text("Save this view").click()
    page.fill("#view-name", name)
    page.get_by_role("button", name="Save", exact=True).click()


def item_url(server: LiveServer, workflow_id: str) -> str:
    """Return the address of an item."""
    return f"{server.url}/inbox/{quote(workflow_id, safe='')}"
