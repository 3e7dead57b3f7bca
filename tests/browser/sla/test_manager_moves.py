"""A manager finds what is late and moves it, with and without scripts; the board refreshes and takes nothing away."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.items.actions import Action
from tests.browser.console import (
    expect_focus_on_something,
    item_url,
    open_store,
    refresh,
    sign_in,
    sign_in_again,
    sign_in_by_form,
)
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.people import hire

_keys = count(1)


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store with a manager and a reviewer in it."""
    app = open_store(live_server)
    for name in ("nora", "max"):
        hire(app, name)
    return app


@pytest.fixture
def late(store: Flask) -> str:
    """A new item that is late, later than all before it."""
    number = next(_keys)
    return runs.item(store, key=f"late-{number}", age=timedelta(hours=5 + number))


def row_of(page: Page, workflow_id: str) -> str:
    """Return a selector of the row of an item."""
    return f'tr[data-key="{workflow_id}"]'


@pytest.mark.parametrize("scripts", [True, False])
def test_a_manager_finds_what_is_late_and_moves_it(
    page: Page, plain_page: Page, live_server: LiveServer, late: str, scripts: bool
) -> None:
    used = page if scripts else plain_page
    sign_in_by_form(used, live_server, "max")
    used.get_by_role("link", name="SLA board").click()
    row = used.locator(row_of(used, late))
    expect(row).to_contain_text("late")
    row.get_by_role("checkbox").check()
    used.select_option("#move-to", "person:nora")
    used.fill("#move-note", "Please before noon.")
    used.get_by_role("button", name="Move", exact=True).click()
    told = used.locator("#outcome" if scripts else "#flashes")
    expect(told).to_contain_text("1 item moved")
    if scripts:
        expect(told).to_be_focused()
        expect(used.locator("#live")).to_have_text("1 item moved.")
    expect(used.locator(row_of(used, late))).to_contain_text("nora")
    used.goto(item_url(live_server, late))
    expect(used.locator("#timeline")).to_contain_text("Please before noon.")


def test_the_way_from_a_mark_to_what_it_counts(page: Page, live_server: LiveServer, late: str) -> None:
    sign_in(page, live_server, "max")
    page.goto(f"{live_server.url}/sla")
    page.get_by_role("link", name="any reviewer:").click()
    expect(page.locator("#inbox")).to_contain_text("late")
    assert "role=reviewer" in page.url


def test_a_refresh_keeps_what_was_chosen_typed_and_in_focus(page: Page, live_server: LiveServer, late: str) -> None:
    sign_in(page, live_server, "max")
    page.goto(f"{live_server.url}/sla")
    box = page.locator(row_of(page, late)).get_by_role("checkbox")
    box.check()
    page.select_option("#move-to", "person:nora")
    page.fill("#move-note", "Half a thou")
    box.focus()
    refresh(page, "#sla-now", live_server)
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(page.locator("#move")).to_contain_text("1 chosen")
    expect(page.locator("#move-note")).to_have_value("Half a thou")
    expect(page.locator("#move-to")).to_have_value("person:nora")


def test_rows_do_not_move_under_the_pointer(page: Page, store: Flask, live_server: LiveServer, late: str) -> None:
    sign_in(page, live_server, "max")
    page.goto(f"{live_server.url}/sla")
    first = page.locator("[data-row]").first
    expect(first).to_have_attribute("data-key", late)
    first.hover()
    number = next(_keys)
    later = runs.item(store, key=f"late-{number}", age=timedelta(hours=40 + number))
    refresh(page, "#sla-now", live_server)
    expect(first).to_have_attribute("data-key", late)
    changed = page.get_by_role("button", name="The list has changed. Show it")
    expect(changed).to_be_visible()
    expect(page.locator("#live")).to_contain_text("The list has changed.")
    changed.click()
    expect(first).to_have_attribute("data-key", later)
    expect(changed).to_be_hidden()
    expect_focus_on_something(page)


def test_what_changed_meanwhile_is_told_and_the_form_kept(
    page: Page, store: Flask, live_server: LiveServer, late: str
) -> None:
    sign_in(page, live_server, "max")
    page.goto(f"{live_server.url}/sla")
    page.locator(row_of(page, late)).get_by_role("checkbox").check()
    page.select_option("#move-to", "role:manager")
    page.fill("#move-note", "Kept.")
    runs.act(store, late, Action.COMMENT, by=TOMAS, text="Wait.")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("1 not moved")
    expect(page.locator("#outcome")).to_be_focused()
    expect(page.locator("#move-note")).to_have_value("Kept.")
    expect(page.locator(row_of(page, late)).get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("1 item moved")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_lost_session_keeps_the_choice_and_the_note(
    page: Page, plain_page: Page, live_server: LiveServer, late: str, scripts: bool
) -> None:
    used = page if scripts else plain_page
    sign_in(used, live_server, "max")
    used.goto(f"{live_server.url}/sla")
    used.locator(row_of(used, late)).get_by_role("checkbox").check()
    used.select_option("#move-to", "person:nora")
    used.fill("#move-note", "Written before the session ended.")
    used.context.clear_cookies()
    used.get_by_role("button", name="Move", exact=True).click()
    expect(used.get_by_text("Your session has ended.")).to_be_visible()
    sign_in_again(used, "max")
    expect(used.locator("#move-note")).to_have_value("Written before the session ended.")
    expect(used.locator("#move-to")).to_have_value("person:nora")
    expect(used.locator(row_of(used, late)).get_by_role("checkbox")).to_be_checked()


def test_the_studio_keeps_its_text_through_a_lost_session(page: Page, store: Flask, live_server: LiveServer) -> None:
    runs.item(store, key="studio")
    sign_in(page, live_server, "max")
    page.goto(f"{live_server.url}/studio/corr-studio")
    page.fill("#review-reason", "Someone should look at this again.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Start the review").click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    sign_in_again(page, "max")
    expect(page.locator("#review-reason")).to_have_value("Someone should look at this again.")
    page.get_by_role("button", name="Start the review").click()
    expect(page.locator("#flashes")).to_contain_text("The review is started.")
    expect(page.locator("#why")).to_contain_text("Someone should look at this again.")
