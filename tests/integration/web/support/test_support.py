"""The support page and the report by reason: what runs, what is kept, who leads, why people decided."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.items.actions import Action
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.schedule import Job
from lotus_web.jobs.scheduler import run_job
from lotus_web.services.jobs.leases import take_lead
from lotus_web.services.jobs.runs import JobStart, note_start
from lotus_web.store.session import transaction
from lotus_web.web.support.views import kept_in
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX, TOMAS
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.people import untitled

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


@pytest.mark.stores(*KINDS)
def test_where_everything_is_kept(client_of: ClientOf, store_kind: str) -> None:
    told = re.search(r"Stored in</dt>\s*<dd[^>]*>\s*(.*?)\s*</dd>", client_of("vera").get("/support").text)
    assert told is not None
    assert told[1] == {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[store_kind]


@pytest.mark.parametrize(
    ("backend", "dialect", "told"),
    [
        ("IN_MEMORY", "sqlite", "a temporary SQLite file, deleted when the process ends"),
        ("SQL", "sqlite", "SQLite"),
        ("SQL", "postgresql", "PostgreSQL"),
    ],
)
def test_the_words_for_a_store_are_true_of_it(backend: str, dialect: str, told: str) -> None:
    assert kept_in(backend, dialect) == told


def test_nobody_ever_led_the_jobs(client_of: ClientOf) -> None:
    page = client_of("vera").get("/support").text
    assert "No scheduler has ever run." in page
    assert "Never ran" in page
    assert "Not checked yet" in page


@pytest.mark.stores(*KINDS)
def test_who_leads_and_until_when(app: Flask, client_of: ClientOf) -> None:
    with app.app_context(), transaction() as session:
        assert take_lead(session, "vm:42:abcd", lease=timedelta(hours=1))
    assert "vm:42:abcd" in client_of("ada").get("/support").text
    told = client_of("vera").get("/support").text
    assert "A process leads" in told
    assert "vm:42:abcd" not in told


def test_what_a_failed_job_said_is_for_administrators(app: Flask, client_of: ClientOf) -> None:
    def stumble(*_: object) -> dict[str, object]:
        raise KeyError("chain of elsewhere")

    with app.app_context(), pytest.raises(KeyError):
        run_job(
            Job("sla", stumble, lambda _: 30), JobContext(app.extensions["lotus_settings"]), owner="a", now=utcnow()
        )
    for name, told in (("vera", False), ("max", False), ("ada", True)):
        page = client_of(name).get("/support").text
        assert "Failed" in page
        assert ("KeyError" in page) is told
        assert ("It failed. Administrators see the error here." in page) is not told


def test_a_job_under_way_is_shown_as_running(app: Flask, client_of: ClientOf) -> None:
    now = utcnow()
    with app.app_context(), transaction() as session:
        take_lead(session, "a", lease=timedelta(hours=1))
        note_start(session, JobStart("sla", "a", now - timedelta(minutes=50)))
    page = client_of("vera").get("/support").text
    assert "Running" in page
    assert "Late" not in page


@pytest.mark.stores(*KINDS)
def test_it_counts_what_the_store_holds(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    page = client_of("vera").get("/support").text
    assert "Needs review 1" in page
    assert "runs are never deleted" in page


@pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="30")
def test_it_tells_what_retention_removes(client_of: ClientOf) -> None:
    assert "30 days; runs from before" in client_of("vera").get("/support").text


@pytest.mark.environ(LOTUS_ESCALATION_ASSIGNED_ACCOUNT_ID="nobody.here")
def test_who_cannot_be_escalated_to_is_told_to_each_tenant_of_its_own(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="mine")
    runs.item(app, key="theirs", tenant="elsewhere")
    page = client_of("ada").get("/support").text
    assert "without a role that reviews in default" in page
    assert "elsewhere" not in page


def test_the_doctor_speaks_to_administrators_and_of_their_tenant_only(app: Flask, client_of: ClientOf) -> None:
    runs.item(app, key="mine")
    runs.item(app, key="theirs", tenant="elsewhere")
    page = client_of("ada").get("/support").text
    assert "Health checks" in page
    assert "chain of default" in page
    assert "elsewhere" not in page
    assert "Health checks" not in client_of("max").get("/support").text


def test_page_and_fragment_share_an_address(client_of: ClientOf) -> None:
    fragment = client_of("vera").get("/support", headers=HTMX).text
    assert untitled(fragment).startswith('<div id="support"')


@pytest.mark.stores(*KINDS)
@pytest.mark.usefixtures("at_noon")
def test_reasons_are_counted_and_lead_to_their_decisions(app: Flask, client_of: ClientOf) -> None:
    for number, code in enumerate(("LIMIT_BREACH", "LIMIT_BREACH", "DATA_QUALITY")):
        workflow_id = runs.item(app, key=f"key-{number}")
        runs.act(app, workflow_id, Action.REJECT, by=TOMAS, text="No.", reason_code=code)
    max_ = client_of("max")
    page = max_.get("/decisions/reasons").text
    assert page.index("The breach of a limit cannot be accepted") < page.index("Prices, rates or shelf data")
    assert 'value="67"' in page
    day = (utcnow() - timedelta(days=30)).date()
    line = f"/audit?source=action&amp;kind=reject&amp;reason=LIMIT_BREACH&amp;from={day}"
    assert line in page
    assert max_.get(line.replace("&amp;", "&")).text.partition("<tbody")[2].count('<th scope="row"') == 2
    # Who may not read the audit is led to the decisions on runs.
    nora, link = client_of("nora"), f"/decisions?action=REJECT&amp;reason_code=LIMIT_BREACH&amp;from={day}"
    assert link in nora.get("/decisions/reasons").text
    assert nora.get(link.replace("&amp;", "&")).text.count("<tr data-row>") == 2
    assert "No decisions in this period" in max_.get("/decisions/reasons?from=2000-01-01&to=2000-01-02").text
    assert max_.get("/decisions/reasons?from=2000-01-02&to=2000-01-01").status_code == 422
