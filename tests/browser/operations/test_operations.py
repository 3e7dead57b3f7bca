"""Operations in a browser: progress comes by itself and stops, everything works without scripts, no page has a fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.config.current import utcnow
from lotus_web.services.analyses.scenarios import Batch, Held, run_scenarios
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.leases import Claim, Interrupted, claim_operation, fail
from lotus_web.services.operations.worker import work_on
from lotus_web.store.session import db, transaction
from tests.browser.console import open_store, sign_in
from tests.browser.looks import faults, look_over
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.analyses import TERMS, WRONG_OPTIONS, accept, batch
from tests.support.histories import FEED, OFF
from tests.support.people import hire


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store, with someone who administers and someone who looks."""
    app = open_store(live_server)
    hire(app, "ada")
    hire(app, "vera")
    return app


@pytest.fixture
def ada(store: Flask, live_server: LiveServer, page: Page) -> Page:
    """A page on which ada has signed in."""
    sign_in(page, live_server, "ada")
    return page


@pytest.fixture
def in_store(store: Flask) -> Iterator[None]:
    """An open app context on the server's store."""
    with store.app_context():
        yield
        db.session.remove()


def claimed(operation_id: str) -> Claim:
    with transaction() as session:
        return claim_operation(session, "default", operation_id, terms=TERMS, now=utcnow())


@pytest.mark.usefixtures("in_store")
def test_no_page_has_a_fault(ada: Page, store: Flask, live_server: LiveServer) -> None:
    lost = accept().operation_id
    with transaction() as session:
        claim = claim_operation(session, "default", lost, terms=TERMS, now=utcnow())
        fail(session, claim, code="WORKER_LOST", message="Every worker fell silent.", now=utcnow())
    shown = [
        lost,
        accept({"fine": {"options": {}}, "wrong": WRONG_OPTIONS}, inline=True).operation_id,
        accept(correlation_id="corr-of-" + "a-very-long-name-" * 8).operation_id,
    ]
    run_id = runs.record(store, key="looked-at")
    paths = ["/operations?status=RUNNING", *(f"/operations/{one}" for one in shown)]
    paths += [f"/runs/{run_id}/replay", f"/runs/{run_id}"]
    found = look_over(ada, {path: live_server.url + path for path in paths})
    ada.get_by_role("button", name="Replay with today").click()
    ada.wait_for_url("**/replay")
    found += faults(ada, "a replay")
    assert found == []


@pytest.mark.usefixtures("in_store")
def test_progress_comes_by_itself_and_the_asking_stops_at_the_end(ada: Page, live_server: LiveServer) -> None:
    accepted = accept()
    ada.clock.install()
    ada.goto(f"{live_server.url}/operations/{accepted.operation_id}")
    expect(ada.locator("#operation")).to_contain_text("0 of 3")
    claim = claimed(accepted.operation_id)
    done = Batch(batch(), "batch_live", "corr-desk", utcnow(), FEED, OFF, utcnow, Held(claim, TERMS))
    stops = iter([False, True])
    with pytest.raises(Interrupted):
        run_scenarios(done, stop=lambda: next(stops))
    ada.clock.fast_forward("00:30")
    expect(ada.locator("#operation")).to_contain_text("1 of 3")
    expect(ada.locator("#operation")).to_contain_text("Running")
    assert work_on(claim, handlers=HANDLERS, policy=OFF, terms=TERMS, clock=utcnow)
    ada.clock.fast_forward("00:30")
    expect(ada.locator("#operation")).to_contain_text("3 of 3")
    expect(ada.locator("#live")).to_contain_text("The operation has ended: Succeeded")
    for asking in ("hx-get", "hx-trigger", "data-live"):
        assert ada.locator("#operation").get_attribute(asking) is None


@pytest.mark.usefixtures("in_store")
def test_everything_is_done_without_scripts(store: Flask, live_server: LiveServer, plain_page: Page) -> None:
    operation_id, run_id = accept().operation_id, runs.record(store, key="no-scripts")
    page = plain_page
    sign_in(page, live_server, "ada")
    page.goto(f"{live_server.url}/operations/{operation_id}")
    page.get_by_role("button", name="Execute now").click()
    expect(page.locator("#flashes")).to_contain_text("The operation was executed")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#flashes")).to_contain_text("Accepted as a new operation")
    page.goto(f"{live_server.url}/runs/{run_id}")
    page.get_by_role("button", name="Replay with today").click()
    expect(page.locator("#replay")).to_contain_text("Nothing differs.")
    page.goto(f"{live_server.url}/runs/{run_id}/legal-hold")
    page.get_by_role("button", name="Set the hold").click()
    expect(page.get_by_role("alert").first).to_contain_text("Enter a reason")
    page.get_by_label("Reason").fill("Matter 7.")
    page.get_by_role("button", name="Set the hold").click()
    expect(page.locator("#legal-hold")).to_contain_text("Under legal hold")
    page.goto(f"{live_server.url}/runs/{run_id}")
    page.get_by_label("key history").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the bundle").click()
    assert download.value.suggested_filename == f"support-bundle-{run_id}.json"


@pytest.mark.usefixtures("in_store")
def test_a_button_that_may_not_be_pressed_tells_why_to_a_keyboard(
    store: Flask, live_server: LiveServer, page: Page
) -> None:
    operation_id = accept().operation_id
    sign_in(page, live_server, "vera")
    page.goto(f"{live_server.url}/operations/{operation_id}")
    button = page.get_by_role("button", name="Execute now")
    button.focus()
    expect(page.get_by_role("tooltip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#operation")).to_contain_text("Waiting")
