"""The bell and the list of notifications: unread first, read one by one or all at once, nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.histories import contents, count
from tests.support.people import hire, post, sign_in, untitled

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


def bell(client: FlaskClient) -> int:
    found = re.search(r'id="bell"[^>]*aria-label="Notifications, (\d+) unread"', client.get("/notifications").text)
    assert found
    return int(found.group(1))


def listed(client: FlaskClient, query: str = "") -> list[str]:
    page = client.get(f"/notifications{query}").text
    return [unescape(found) for found in re.findall(r'data-key="(ntf_[0-9a-f]+)"', page)]


def test_what_a_role_is_told_rings_for_who_has_it(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app)
    nora, vera = client_of("nora"), client_of("vera")
    assert (bell(nora), bell(vera)) == (1, 0)
    page = nora.get("/notifications").text
    assert "is assigned to reviewer." in page
    assert f'href="{url_of(workflow_id)}"' in page
    assert "You have read everything" in vera.get("/notifications").text


@pytest.mark.stores(*KINDS)
def test_reading_one_lowers_the_bell_for_the_reader_alone(app: Flask, client_of: ClientOf) -> None:
    for number in range(3):
        runs.item(app, key=f"key-{number}")
    nora = client_of("nora")
    hire(app, "rita", Role.REVIEWER)
    first, *rest = listed(nora)
    answer = post(nora, "/notifications", {"notification_id": first})
    assert (answer.status_code, answer.location) == (303, "/notifications")
    assert bell(nora) == 2
    assert listed(nora) == [*rest, first]
    assert listed(nora, "?state=read") == [first]
    assert listed(nora, "?state=all") == [first, *rest]
    rita = app.test_client()
    sign_in(rita, "rita")
    assert bell(rita) == 3


@pytest.mark.stores(*KINDS)
def test_all_are_read_at_once(app: Flask, client_of: ClientOf) -> None:
    for number in range(3):
        runs.item(app, key=f"key-{number}")
    nora = client_of("nora")
    post(nora, "/notifications")
    assert "3 marked as read." in nora.get("/notifications").text
    assert bell(nora) == 0


@pytest.mark.stores(*KINDS)
def test_a_decision_is_told_in_the_row_and_lowers_the_bell(app: Flask, client_of: ClientOf) -> None:
    items = [runs.item(app, key=f"key-{number}") for number in range(3)]
    nora = client_of("nora")
    runs.act(app, items[1], Action.APPROVE, by=TOMAS, text="Fine.")
    page = nora.get("/notifications").text
    assert bell(nora) == 2
    assert re.findall(r'class="tab"[^>]*>([^<]+) <span class="count">([^<]+)<', page) == [
        ("Unread", "2"),
        ("Read or decided", "1"),
        ("All", "3"),
    ]
    assert "2 of 2 notifications" in page
    decided = page[page.index("Read or decided before") :]
    assert re.search(r'<span class="soft">decided <time', decided)
    assert 'name="notification_id"' not in decided


def test_who_is_new_is_told_nothing_of_the_time_before(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    hire(app, "rita", Role.REVIEWER, ago=timedelta(0))
    rita = app.test_client()
    sign_in(rita, "rita")
    assert (bell(rita), listed(rita, "?state=all")) == (0, [])


def test_with_scripts_the_list_comes_again_and_the_bell_is_told(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    nora = client_of("nora")
    answer = post(nora, "/notifications", {"notification_id": listed(nora)[0]}, headers=HTMX)
    assert answer.status_code == 200
    assert untitled(answer.text).startswith('<div id="notifications"')
    assert answer.headers["HX-Trigger"] == "lotus:read"
    ring = nora.get("/notifications/bell", headers=HTMX)
    assert ring.text.lstrip().startswith('<a id="bell"')
    assert "0 unread" in ring.text
    assert nora.get("/notifications/bell").location == "/notifications"


def test_nobody_reads_what_was_told_to_others(app: Flask, client_of: ClientOf) -> None:
    hire(app, "tomas", Role.REVIEWER)
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.ESCALATE, by=TOMAS, text="Above me.", reason_code="ABOVE_MY_AUTHORITY")
    max_, nora = client_of("max"), client_of("nora")
    (told,) = set(listed(max_)) - set(listed(nora))
    assert post(nora, "/notifications", {"notification_id": told}).status_code == 404
    assert post(nora, "/notifications", {"notification_id": "ntf_0000000000000000"}).status_code == 404
    with app.app_context():
        assert count("dg_workflow_notification_reads") == 0


def test_another_tenants_are_not_there(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="theirs", tenant="elsewhere")
    hire(app, "theo", Role.REVIEWER, tenant="elsewhere")
    theo = app.test_client()
    sign_in(theo, "theo")
    (told,) = listed(theo)
    nora = client_of("nora")
    assert listed(nora) == []
    assert post(nora, "/notifications", {"notification_id": told}).status_code == 404


def test_looking_and_ringing_write_nothing(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    nora = client_of("nora")
    with app.app_context():
        before = contents() | {"reads": count("dg_workflow_notification_reads")}
    for path in ("/notifications", "/notifications?state=all", "/notifications/bell", "/inbox"):
        nora.get(path)
        nora.get(path, headers=HTMX)
    with app.app_context():
        assert contents() | {"reads": count("dg_workflow_notification_reads")} == before


@pytest.mark.stores(*KINDS)
def test_pages_go_on_without_a_gap(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.web.notifications.PAGE_SIZE", 2)
    for number in range(5):
        runs.item(app, key=f"key-{number}")
    nora, address, seen = client_of("nora"), "?state=all", []
    for _ in range(3):
        seen += listed(nora, address)
        onward = re.search(r'rel="next" href="/notifications([^"]+)"', nora.get(f"/notifications{address}").text)
        address = unescape(onward.group(1)) if onward else ""
    assert len(seen) == len(set(seen)) == 5
    assert address == ""
