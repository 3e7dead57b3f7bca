"""A reviewer at work in a real browser: from the sign-in to the decision in the history, by mouse, by keyboard, without scripts."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.items.actions import Action
from tests.browser.console import item_url, open_store, sign_in, sign_in_by_form
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.people import hire

_keys = count(1)


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with nora and max in it."""
    app = open_store(live_server)
    for name in ("nora", "max"):
        hire(app, name)
    return app


@pytest.fixture
def item(store: Flask) -> str:
    """A new item that waits for a reviewer, the oldest and so the first of the list."""
    number = next(_keys)
    return runs.item(store, key=f"key-{number}", age=timedelta(hours=3, minutes=number))


def decide(page: Page, live_server: LiveServer, item: str) -> None:
    """Open the item from the inbox and approve it."""
    page.goto(f"{live_server.url}/inbox?tab=open")
    page.locator(f'[data-open][href^="{item_url(live_server, item).removeprefix(live_server.url)}?"]').click()
    expect(page.get_by_role("heading", name="Why this needs you")).to_be_visible()
    page.locator("#fold-approve > summary").click()
    page.select_option("#approve-reason_code", "WITHIN_MANDATE")
    page.fill("#approve-text", "Looked at it with the client.")
    page.get_by_role("button", name="Approve this run").click()


def test_the_whole_way_with_scripts(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in_by_form(page, live_server, "nora")
    decide(page, live_server, item)
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("Approved.")
    expect(outcome).to_be_focused()
    expect(page.locator("#live")).to_have_text("Approved.")
    assert page.url == f"{item_url(live_server, item)}?tab=open"
    page.get_by_role("link", name="Decisions").click()
    row = page.locator("[data-row]").first
    expect(row).to_contain_text("The outcome is within the mandate")
    expect(row).to_contain_text("Looked at it with the client.")
    expect(row).to_contain_text("nora")


def test_the_whole_way_without_scripts(plain_page: Page, live_server: LiveServer, item: str) -> None:
    sign_in_by_form(plain_page, live_server, "nora")
    decide(plain_page, live_server, item)
    expect(plain_page.locator("#flashes")).to_contain_text("Approved.")
    plain_page.get_by_role("link", name="Decisions").click()
    expect(plain_page.locator("[data-row]").first).to_contain_text("Looked at it with the client.")


def test_the_way_by_keyboard(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=open")
    page.keyboard.press("j")
    expect(page.locator("[data-open]").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/corr-key-*")
    page.keyboard.press("r")
    expect(page.locator("#reject-reason_code")).to_be_focused()
    page.select_option("#reject-reason_code", "LIMIT_BREACH")
    page.locator("#reject-text").focus()
    page.keyboard.type("are a, c, j and k letters?")
    expect(page.locator("#reject-text")).to_have_value("are a, c, j and k letters?")
    expect(page.locator("#fold-approve")).not_to_have_attribute("open", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#outcome")).to_contain_text("Rejected.")


def test_a_claim_in_the_row_moves_the_focus_to_what_to_do_next(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=roles")
    page.locator("#inbox").get_by_role("button", name="Claim").first.click()
    notice = page.locator("#inbox .notice")
    expect(notice).to_contain_text("is yours now.")
    expect(notice).to_be_focused()
    notice.get_by_role("link", name="Open it").click()
    expect(page.locator("#decide")).to_contain_text("You hold this item.")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_conflict_keeps_the_text_and_says_what_changed(
    page: Page, plain_page: Page, store: Flask, live_server: LiveServer, item: str, scripts: bool
) -> None:
    used = page if scripts else plain_page
    sign_in(used, live_server, "nora")
    used.goto(item_url(live_server, item))
    used.locator("#fold-reject > summary").click()
    used.select_option("#reject-reason_code", "OTHER")
    used.fill("#reject-text", "A reason that took a while to write.")
    runs.act(store, item, Action.COMMENT, by=TOMAS, text="Mine.")
    used.get_by_role("button", name="Reject this run").click()
    expect(used.locator("#outcome")).to_contain_text("While you were looking, tomas commented.")
    expect(used.locator("#reject-text")).to_have_value("A reason that took a while to write.")
    expect(used.locator("#reject-text")).to_be_visible()
    expect(used.locator("#reject-reason_code")).to_have_value("OTHER")
    used.get_by_role("button", name="Reject this run").click()
    expect(used.locator("#outcome" if scripts else "#flashes")).to_contain_text("Rejected.")


def test_what_is_missing_gets_the_focus_and_a_link_to_its_field(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(item_url(live_server, item))
    page.keyboard.press("c")
    page.select_option("#request_change-reason_code", "OTHER")
    page.get_by_role("button", name="Request changes").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Add a comment: this reason requires one.").click()
    expect(page.locator("#request_change-text")).to_be_focused()


def test_a_double_click_decides_once(page: Page, store: Flask, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(item_url(live_server, item))
    page.keyboard.press("m")
    page.fill("#comment-text", "Said once.")
    page.get_by_role("button", name="Add the comment").dblclick()
    expect(page.locator("#timeline")).to_contain_text("Said once.")
    page.goto(item_url(live_server, item))
    expect(page.get_by_text("Said once.", exact=True)).to_have_count(1)


def test_half_typed_text_survives_looking_elsewhere(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(item_url(live_server, item))
    page.keyboard.press("m")
    page.fill("#comment-text", "Half a thou")
    page.goto(f"{live_server.url}/runs")
    page.goto(item_url(live_server, item))
    expect(page.locator("#comment-text")).to_be_visible()
    expect(page.locator("#comment-text")).to_have_value("Half a thou")
    page.locator("#comment-text").focus()
    page.keyboard.type("ght")
    expect(page.locator("#comment-text")).to_have_value("Half a thought")
    page.get_by_role("button", name="Add the comment").click()
    expect(page.locator("#outcome")).to_contain_text("Comment added.")
    expect(page.locator("#comment-text")).to_have_value("")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_lost_session_returns_to_the_form_with_the_text(
    page: Page, plain_page: Page, live_server: LiveServer, item: str, scripts: bool
) -> None:
    used = page if scripts else plain_page
    sign_in(used, live_server, "nora")
    used.goto(item_url(live_server, item))
    used.locator("#fold-comment > summary").click()
    used.fill("#comment-text", "Written before the session ended.")
    used.context.clear_cookies()
    used.get_by_role("button", name="Add the comment").click()
    expect(used.get_by_text("Your session has ended.")).to_be_visible()
    used.fill("[name=name]", "nora")
    used.fill("[name=password]", "a password for tests")
    used.click("button[type=submit]")
    expect(used.locator("#comment-text")).to_have_value("Written before the session ended.")
    expect(used.locator("#comment-text")).to_be_visible()


def test_the_stored_result_unfolds_in_place(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(item_url(live_server, item))
    page.locator("#raw-result > summary").click()
    expect(page.locator("#raw-text-result")).to_contain_text("rule_results")


def test_a_refused_action_tells_why_on_focus(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(item_url(live_server, item))
    button = page.get_by_role("button", name="Override")
    button.focus()
    expect(page.get_by_text("This needs the permission “Override the gate”.")).to_be_visible()
    button.click(force=True)
    expect(page.locator("#outcome")).to_have_count(0)


def test_a_key_on_a_row_opens_its_form(page: Page, live_server: LiveServer, item: str) -> None:
    sign_in(page, live_server, "nora")
    page.goto(f"{live_server.url}/inbox?tab=open")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_url("**?tab=*&do=approve")
    expect(page.locator("#approve-reason_code")).to_be_focused()
