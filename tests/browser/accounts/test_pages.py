"""The states of the board, the studio and administration: no fault that axe finds; forms answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.items.actions import Action
from tests.browser.console import item_url, open_store, sign_in
from tests.browser.looks import faults, look_over
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.people import PASSWORD, bearer_of, hire


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with people, tokens, and items in every state."""
    app = open_store(live_server)
    for name in ("nora", "max", "ada", "vera"):
        hire(app, name)
    hire(app, "nobody-told-nobody", Role.VIEWER, tenant="empty")
    bearer_of(app, "engine", Permission)
    runs.item(app, key="late", age=timedelta(hours=5))
    runs.item(app, key="soon", age=timedelta(hours=3, minutes=45))
    claimed = runs.item(app, key="claimed")
    runs.act(app, claimed, Action.CLAIM, by=TOMAS)
    for number, action in enumerate((Action.APPROVE, Action.REJECT, Action.ESCALATE)):
        runs.act(
            app, runs.item(app, key=f"done-{number}"), action, by=TOMAS, text="A reason. " * 20, reason_code="OTHER"
        )
    return app


@pytest.fixture(scope="module")
def addresses(store: Flask, live_server: LiveServer) -> dict[str, str]:
    """What to look at, by name."""
    url = live_server.url
    return {
        "the board": f"{url}/sla",
        "notifications": f"{url}/notifications",
        "all notifications": f"{url}/notifications?state=all",
        "no read ones": f"{url}/notifications?state=read",
        "the studio": f"{url}/studio",
        "a dry run": f"{url}/studio/corr-late",
        "a trace": f"{url}/traces/corr-done-1",
        "an unknown trace": f"{url}/traces/none",
        "no such lines": f"{url}/audit?actor=nobody",
        "the inbox by age": f"{url}/inbox?tab=open&age=4h-8h&escalated=2026-01-01",
        "an item in a list": item_url(live_server, runs.item(store, key="worked")) + "?tab=open&at=1&of=5",
    }


def test_no_page_has_a_fault(page: Page, live_server: LiveServer, addresses: dict[str, str]) -> None:
    sign_in(page, live_server, "ada")
    assert look_over(page, addresses) == []


def test_an_empty_tenant_has_no_fault(page: Page, store: Flask, live_server: LiveServer) -> None:
    hire(store, "eve", Role.ADMIN, tenant="empty")
    sign_in(page, live_server, "eve")
    paths = ("/sla", "/notifications", "/studio", "/audit", "/support", "/admin/tokens", "/decisions/reasons")
    assert look_over(page, {path: live_server.url + path for path in paths}) == []


def test_no_answer_to_a_form_has_a_fault(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "ada")
    page.goto(f"{live_server.url}/admin")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    found = faults(page, "nobody was named")
    page.goto(f"{live_server.url}/admin/tokens")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".error-summary")).to_be_focused()
    found += faults(page, "no token was named")
    page.goto(f"{live_server.url}/admin/people/ada")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator(".error-summary")).to_contain_text("only administrator")
    found += faults(page, "the last administrator")
    page.goto(f"{live_server.url}/sla")
    page.locator("[data-row]").first.get_by_role("checkbox").check()
    found += faults(page, "chosen")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    found += faults(page, "nobody to move it to")
    page.goto(f"{live_server.url}/studio/corr-late")
    page.fill("#review-title", "")
    page.locator("#review-title").evaluate(
        "field => { field.removeAttribute('maxlength'); field.value = 'x'.repeat(300) }"
    )
    page.get_by_role("button", name="Start the review").click()
    expect(page.locator(".error-summary")).to_be_focused()
    found += faults(page, "a title too long")
    assert found == []


def test_a_token_is_shown_once_and_can_be_copied(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "ada")
    page.goto(f"{live_server.url}/admin/tokens")
    page.fill("#account", "nightly")
    page.locator("#permissions-runs_read").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#made")).to_be_focused()
    secret = page.locator("#token-text").inner_text()
    assert secret.startswith("lw_tok")
    assert faults(page, "a new token") == []
    page.locator("#made").get_by_role("button", name="Copy").click()
    expect(page.locator("#live")).to_have_text("Copied")
    page.goto(f"{live_server.url}/admin/tokens")
    expect(page.locator("#tokens")).not_to_contain_text(secret)


def test_a_person_is_added_given_a_role_and_shut_out(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "ada")
    page.goto(f"{live_server.url}/admin")
    page.fill("#name", "rita")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#flashes")).to_contain_text("rita may sign in now.")
    page.select_option("#role", "manager")
    page.get_by_role("button", name="Give").click()
    expect(page.locator("#roles")).to_contain_text("Manager")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#person")).to_contain_text("Disabled")
    page.get_by_role("link", name="What was changed").click()
    rows = page.locator("#audit tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("rita was disabled and signed out.")


def test_a_lost_session_keeps_what_was_typed_but_no_password(page: Page, store: Flask, live_server: LiveServer) -> None:
    sign_in(page, live_server, "ada")
    page.goto(f"{live_server.url}/admin")
    page.fill("#name", "sam")
    page.fill("#display_name", "Sam Frey")
    page.fill("#password", PASSWORD)
    page.context.clear_cookies()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    page.fill("[name=name]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("#display_name")).to_have_value("Sam Frey")
    expect(page.locator("#name")).to_have_value("sam")
    expect(page.locator("#password")).to_have_value("")
