"""The report of reasons: each of its rows leads to what it counts, or says why it leads nowhere."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.transitions import override_phrase
from tests.integration.conftest import ClientOf
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.events import person

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
TOMAS, ADA = person("tomas", Role.REVIEWER), person("ada", Role.ADMIN)
ROW = re.compile(r'<tr>\s*<th scope="row"><a href="([^"]+)">[^<]+</a>.*?<td class="num">(\d+)</td>', re.DOTALL)


@pytest.fixture
def decided(app: Flask) -> None:
    """One approval, two escalations with two reasons, one without any, and an override."""
    for key, code in (("one", "ABOVE_MY_AUTHORITY"), ("two", "OTHER"), ("three", "OTHER")):
        runs.act(app, runs.item(app, key=key), Action.ESCALATE, by=TOMAS, text="Above me.", reason_code=code)
    runs.act(app, runs.item(app, key="bare"), Action.ESCALATE, by=TOMAS, text="No code for this.")
    runs.act(app, runs.item(app, key="fine"), Action.APPROVE, by=TOMAS, reason_code="WITHIN_MANDATE")
    forced = runs.item(app, key="forced")
    phrase = override_phrase(forced)
    runs.act(app, forced, Action.OVERRIDE, by=ADA, text="Now.", reason_code="OTHER", confirm_text=phrase)


def lines_at(client: FlaskClient, address: str) -> int:
    """Return how many lines of a list an address shows."""
    body = client.get(address).text.partition("<tbody")[2].partition("</tbody>")[0]
    return body.count('<th scope="row"')


@pytest.mark.stores(*KINDS)
def test_each_row_leads_to_as_many_lines_as_it_counts(decided: None, client_of: ClientOf) -> None:
    max_ = client_of("max")
    found = [(unescape(url), int(count)) for url, count in ROW.findall(max_.get("/decisions/reasons").text)]
    assert sorted(count for _, count in found) == [1, 1, 1, 1, 2]
    assert [(url, lines_at(max_, url)) for url, _ in found] == found
    assert all(url.startswith("/audit?") for url, _ in found)


def test_the_record_keeps_the_reason_that_it_was_asked_for(decided: None, client_of: ClientOf) -> None:
    page = client_of("max").get("/audit?source=action&kind=escalate&reason=OTHER").text
    assert re.search(r'name="reason"[^>]*value="OTHER"', page)
    assert "reason=OTHER" in page.partition("/audit.csv?")[2].partition('"')[0]


@pytest.mark.usefixtures("at_noon")
def test_the_month_of_the_report_begins_at_midnight_as_its_lists_do(app: Flask, client_of: ClientOf) -> None:
    noon = utcnow()
    for key, hours in (("inside", 11), ("outside", 13)):
        with time_machine.travel(noon - timedelta(days=30, hours=hours), tick=False):
            runs.act(app, runs.item(app, key=key), Action.APPROVE, by=TOMAS, reason_code="WITHIN_MANDATE")
    max_ = client_of("max")
    ((url, count),) = ROW.findall(max_.get("/decisions/reasons").text)
    assert (count, lines_at(max_, unescape(url))) == ("1", 1)


def test_who_may_not_read_the_record_is_told_so(decided: None, client_of: ClientOf) -> None:
    nora = client_of("nora")
    page = nora.get("/decisions/reasons").text
    assert len(ROW.findall(page)) == 1
    assert page.count("The audit log lists these.") == 2
    assert "Read and export the audit log" in page
