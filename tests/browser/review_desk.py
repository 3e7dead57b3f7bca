"""A desk for browser tests: people and runs put into the live server's store, and signing in as a person does."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask
from playwright.sync_api import Page

from lotus_web import create_app
from lotus_web.settings import Settings
from tests.live_server import LiveServer
from tests.people import PASSWORD


def open_store(server: LiveServer) -> Flask:
    """Return an app on the server's store, for services."""
    return create_app(Settings.from_environ(server.settings))


def sign_in(page: Page, server: LiveServer, name: str) -> None:
    """Sign in through the form."""
    page.goto(f"{server.url}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{server.url}/inbox*")


def item_url(server: LiveServer, workflow_id: str) -> str:
    """Return the address of an item."""
    return f"{server.url}/inbox/{quote(workflow_id, safe='')}"
