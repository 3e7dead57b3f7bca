"""Lineage in a browser: the drawing is walked by keyboard and pointer, starts at what it is about, and has no fault."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from lotus_web.domain.items.actions import Action
from lotus_web.store.session import db
from tests.browser.console import open_store, sign_in
from tests.browser.looks import look_over
from tests.integration.web.items.test_items import TOMAS
from tests.servers.live_server import LiveServer
from tests.support import runs
from tests.support.analyses import accept
from tests.support.people import hire


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """The server's store: a decided run, an analysis of three scenarios, someone who administers."""
    app = open_store(live_server)
    hire(app, "ada")
    runs.act(app, runs.item(app), Action.APPROVE, by=TOMAS, text="Fine.")
    with app.app_context():
        accept(inline=True)
        db.session.remove()
    return app


@pytest.fixture
def ada(store: Flask, live_server: LiveServer, page: Page) -> Page:
    """A page on which ada has signed in."""
    sign_in(page, live_server, "ada")
    return page


def test_no_page_has_a_fault(ada: Page, live_server: LiveServer) -> None:
    paths = (
        "/lineage/key-1",
        "/lineage/corr-desk?depth=5",
        "/lineage/corr-desk?depth=5&edge_type=CAUSED_BY",
        "/lineage/key-1?from=soon",
        "/lineage/nobody",
    )
    assert look_over(ada, {path: live_server.url + path for path in paths}) == []


def test_one_walks_from_box_to_box_and_opens_the_record(ada: Page, live_server: LiveServer) -> None:
    ada.goto(f"{live_server.url}/lineage")
    ada.get_by_label("Id of any kind").fill("key-1")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Lineage of key-1")
    run = ada.get_by_role("link", name=": show its lineage").first
    run.focus()
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_contain_text("Lineage of rr_")
    expect(ada.locator(".graph__box")).to_have_count(4)
    ada.get_by_role("link", name="Open run").click()
    expect(ada).to_have_url(f"{live_server.url}/runs/{ada.url.rpartition('/')[2]}")


def test_on_a_phone_the_drawing_starts_at_what_it_is_about(ada: Page, live_server: LiveServer) -> None:
    ada.set_viewport_size({"width": 375, "height": 800})
    ada.goto(f"{live_server.url}/lineage/corr-desk?depth=5")
    box = ada.locator(".graph__node--here .graph__box")
    outer, inner = ada.locator(".graph").bounding_box(), box.bounding_box()
    assert outer is not None
    assert inner is not None
    assert outer["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert ada.evaluate("scrollY") == 0


def test_every_name_in_the_drawing_stays_inside_and_clear_of_the_boxes(ada: Page, live_server: LiveServer) -> None:
    ada.goto(f"{live_server.url}/lineage/corr-desk?depth=5")
    overlaps = ada.evaluate(
        """() => {
          const rects = (selector) => [...document.querySelectorAll(selector)].map((shape) => shape.getBoundingClientRect());
          const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
          const [names, boxes] = [rects(".graph__edge-name"), rects(".graph__box")];
          const names_on_boxes = names.filter((name) => boxes.some((box) => !apart(name, box))).length;
          const boxes_on_boxes = boxes.filter((one, i) => boxes.some((other, j) => i < j && !apart(one, other))).length;
          return [names.length > 0, names_on_boxes, boxes_on_boxes];
        }"""
    )
    assert overlaps == [True, 0, 0]
