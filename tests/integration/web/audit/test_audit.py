"""The record: what it shows and to whom, its file, verifying the chain on demand, and an item's proof."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from lotus_web.domain.items.actions import Action
from lotus_web.wire.audit import export_faults
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS, send, url_of
from tests.stores.makers import KINDS
from tests.support import runs
from tests.support.histories import contents, count, unguarded
from tests.support.people import post

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


def rows(page: str) -> list[str]:
    body = page[page.index("<tbody") : page.index("</tbody>")]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in body.split("<tr")[1:]]


@pytest.mark.stores(*KINDS)
def test_events_actions_refusals_and_changes_stand_in_one_list(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text="Odd.")
    max_, ada = client_of("max"), client_of("ada")
    assert send(client_of("nora"), workflow_id, "override", reason_code="OTHER", text="x").status_code == 403
    post(ada, "/admin", {"name": "rita", "role": "viewer", "password": "a password for tests"})
    shown = rows(max_.get("/audit").text)
    assert "Change Add person ada" in shown[0]
    assert "rita was added as viewer." in shown[0]
    assert "Refused Override nora" in shown[1]
    assert "Action Comment tomas" in shown[2]
    assert any("Event ExceptionRequested engine-feed" in row for row in shown)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("source=action", {"Action"}),
        ("source=event", {"Event"}),
        ("kind=comment", {"Action"}),
        ("actor=tomas", {"Action"}),
        ("about=corr-key-1", {"Event", "Action"}),
        ("actor=nobody", set()),
        ("from=2000-01-01&to=2000-01-02", set()),
    ],
)
def test_a_filter_narrows_the_list(app: Flask, client_of: ClientOf, query: str, kinds: set[str]) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text="Odd.")
    page = client_of("max").get(f"/audit?{query}")
    assert page.status_code == 200
    found = set(re.findall(r"badge--\w+\"><svg.*?</svg>(Event|Action)</span>", page.text, re.DOTALL))
    assert found == kinds
    assert ("No line fits these filters" in page.text) is (not kinds)


def test_an_address_that_means_nothing_is_refused(client_of: ClientOf) -> None:
    max_ = client_of("max")
    for query in ("source=rumour", "from=later", "from=2026-02-02&to=2026-02-01", "cursor=x"):
        assert max_.get(f"/audit?{query}").status_code == 422, query


@pytest.mark.stores(*KINDS)
def test_the_file_holds_the_same_lines_and_no_formula(app: Flask, client_of: ClientOf) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text='=HYPERLINK("http://evil")')
    answer = client_of("max").get("/audit.csv?source=action")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    (line,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (line["kind"], line["actor_id"], line["about"]) == ("comment", "tomas", workflow_id)
    assert line["text"] == '\'=HYPERLINK("http://evil")'


@pytest.mark.stores(*KINDS)
def test_the_chain_is_verified_on_demand_and_that_is_put_on_record(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    max_ = client_of("max")
    assert "Not checked yet" in max_.get("/audit").text
    answer = post(max_, "/audit/verify")
    assert (answer.status_code, answer.location) == (303, "/audit")
    page = max_.get("/audit").text
    assert re.search(r"Intact: \d+ entries, and what is stored says the same\.", page)
    assert re.search(r"Verified</span>", page)
    assert "Change Verify chain max" in rows(page)[0]
    assert re.search(r"Verified</span>", max_.get("/support").text)


def test_a_broken_chain_is_said_to_be_broken(app: Flask, client_of: ClientOf) -> None:
    runs.item(app)
    with app.app_context(), unguarded("dg_event_log") as session:
        from sqlalchemy import text

        session.execute(text("UPDATE dg_event_log SET actor = '{}' WHERE trace_seq = 1"))
    max_ = client_of("max")
    post(max_, "/audit/verify")
    page = max_.get("/audit").text
    assert "Broken at entry 2 after 1 good entry" in page
    assert "notice--alert" in page


def test_a_chain_too_long_for_a_page_is_left_to_the_command(
    app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_web.web.audit.chain.MOST_ENTRIES", 2)
    runs.item(app)
    max_ = client_of("max")
    assert "flask --app app audit verify --tenant default" in max_.get("/audit").text
    assert post(max_, "/audit/verify").status_code == 409
    with app.app_context():
        assert count("dg_audit_records", "category <> 'refused'") == 0


def test_the_export_of_an_item_proves_itself(app: Flask, client_of: ClientOf, tmp_path: Path) -> None:
    workflow_id = runs.item(app)
    runs.act(app, workflow_id, Action.REJECT, by=TOMAS, text="Too far.", reason_code="LIMIT_BREACH")
    max_ = client_of("max")
    page = max_.get(url_of(workflow_id)).text
    link = re.search(r'href="([^"]+/export\.json)" download', page)
    assert link
    answer = max_.get(unescape(link.group(1)))
    assert answer.mimetype == "application/json"
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.json"', answer.headers["Content-Disposition"])
    assert not export_faults(json.loads(answer.text))
    path = tmp_path / "export.json"
    path.write_text(answer.text)
    assert app.test_cli_runner().invoke(args=["audit", "verify", "--file", str(path)]).exit_code == 0


def test_who_may_not_export_sees_no_link_and_gets_no_file(app: Flask, client_of: ClientOf) -> None:
    workflow_id, nora = runs.item(app), client_of("nora")
    assert "export.json" not in nora.get(url_of(workflow_id)).text
    assert nora.get(f"{url_of(workflow_id)}/export.json").status_code == 403
    assert nora.get(f"{url_of(workflow_id)}/export.zip").status_code == 403
    assert nora.get("/audit").status_code == 403


@pytest.mark.stores(*KINDS)
def test_another_tenants_record_is_not_there(app: Flask, client_of: ClientOf) -> None:
    theirs = runs.item(app, key="theirs", tenant="elsewhere")
    max_ = client_of("max")
    assert "corr-theirs" not in max_.get("/audit").text
    assert "corr-theirs" not in max_.get(f"/audit.csv?about={quote(theirs)}").text
    assert max_.get(f"{url_of(theirs)}/export.json").status_code == 404


def test_looking_writes_nothing(app: Flask, client_of: ClientOf) -> None:
    workflow_id, max_ = runs.item(app), client_of("max")
    with app.app_context():
        before = contents() | {"record": count("dg_audit_records")}
    for path in ("/audit", "/audit.csv", "/support", f"{url_of(workflow_id)}/export.json", "/decisions/reasons"):
        assert max_.get(path).status_code == 200
    with app.app_context():
        assert contents() | {"record": count("dg_audit_records")} == before
