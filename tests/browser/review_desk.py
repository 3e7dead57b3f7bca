"""A desk for browser tests: people and runs put into the live server's store, and signing in as a person does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask
from playwright.sync_api import Page

from lotus_web import create_app
from lotus_web.config.settings import Settings
from tests.servers.live_server import LiveServer
from tests.support.people import PASSWORD

# What the form gave to a browser, by the server and the name.
_cookies: dict[tuple[Path, str], list[Any]] = {}


def open_store(server: LiveServer) -> Flask:
    """Return an app on the server's store, for services."""
    return create_app(Settings.from_environ(server.settings))


def sign_in(page: Page, server: LiveServer, name: str) -> None:
    """Be signed in as someone: through the form the first time, with the cookie that it gave from then on. Opens no page."""
    kept = _cookies.get((server.folder, name))
    if kept is None:
        sign_in_by_form(page, server, name)
        _cookies[server.folder, name] = page.context.cookies()
    else:
        page.context.add_cookies(kept)


def sign_in_by_form(page: Page, server: LiveServer, name: str) -> None:
    """Sign in through the form, which leads to the inbox."""
    page.goto(f"{server.url}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{server.url}/inbox*")


def save_view(page: Page, name: str) -> None:
    """Save what the open inbox shows under a name."""
    page.get_by_text("Save this view").click()
    page.fill("#view-name", name)
    page.get_by_role("button", name="Save", exact=True).click()


def item_url(server: LiveServer, workflow_id: str) -> str:
    """Return the address of an item."""
    return f"{server.url}/inbox/{quote(workflow_id, safe='')}"
