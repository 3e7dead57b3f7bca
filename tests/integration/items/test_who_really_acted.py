"""Borrowed names: whoever is behind both sides of a decision is refused at every surface, in either order (ADR 0025)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.models import ApiToken, EventLogEntry, Person, Run, WorkflowItem
from lotus_web.store.session import db
from tests.contract.callers import Caller, review_request, segment
from tests.contract.proposals.requests import approval, create, created, step
from tests.integration.web.accounts.test_people import alter, issue
from tests.support import passkeys, people
from tests.support.histories import assert_provable
from tests.support.proposals import create_json

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

FEED = (Permission.RUNS_READ, Permission.RUNS_WRITE)
GATE = (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW)
GATEWAY = (*FEED, *GATE, Permission.PROPOSALS_WRITE, Permission.ACT_ON_BEHALF, Permission.EVENTS_WRITE)
ANOTHER = "another password"
BEHIND = "made the token, set the password or reset the passkeys that it came with"


@dataclass
class Bank:
    """The people of a deployment, and how they work: through pages and tokens alone."""

    app: Flask

    def client(self, name: str, role: Role | None = None, password: str = people.PASSWORD) -> FlaskClient:
        """Return a client in which a person, hired if they are new, has signed in."""
        with self.app.app_context():
            known = db.session.get(Person, name) is not None
        if not known:
            people.hire(self.app, name, role)
        client = self.app.test_client()
        assert people.sign_in(client, name, password).status_code == 303
        return client

    def token(self, account: str, *permissions: Permission, by: FlaskClient | None = None) -> Caller:
        """Return a caller with a token that an administrator made on the page, or else an operator."""
        if by is None:
            return Caller(self.app.test_client(), account, people.bearer_of(self.app, account, permissions))
        page = issue(by, *(permission.value for permission in permissions), account=account).text
        found = re.search(r'id="token-text">(lw_[^<]+)<', page)
        assert found, page
        return Caller(self.app.test_client(), account, unescape(found.group(1)))

    def run(self, feed: Caller) -> str:
        """Record a run that needs a review and return its id."""
        return str(feed.run(review_request())["rebalance_run_id"])

    def item(self, run_id: str) -> str:
        """Return the id of a run's item."""
        with self.app.app_context():
            run = db.session.scalars(select(Run).where(Run.rebalance_run_id == run_id)).one()
            return f"{run.correlation_id}:exception:{run_id}"


@pytest.fixture
def bank(app: Flask) -> Bank:
    """The deployment."""
    return Bank(app)


def on_page(client: FlaskClient, workflow_id: str, action: str = "approve") -> tuple[int, str]:
    """Decide with the form of the item and return the status with the sentence of the refusal."""
    page = client.get(f"/inbox/{segment(workflow_id)}")
    version = people.hidden_fields(page)["version"]
    form = {"action": action, "version": version, "reason_code": "OTHER", "text": "as discussed"}
    form |= {"confirm_text": f"OVERRIDE {workflow_id.upper()}"}
    answer = people.post(client, f"/inbox/{segment(workflow_id)}", form)
    found = re.search(r'id="outcome".*?<p class="notice__title">.*?</span>(.*?)</p>', answer.text, re.DOTALL)
    return answer.status_code, unescape(re.sub("<[^>]+>", "", found.group(1))).strip() if found else ""


def by_api(caller: Caller, workflow_id: str, name: str | None = None) -> tuple[int, str]:
    """Decide through ``/api/v1``."""
    body = {"action": "approve", "reason": "ok"} | ({"actor_id": name} if name else {})
    answer = caller.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=body)
    return answer.status_code, answer.json.get("error", {}).get("message", "")


def by_rfc(caller: Caller, run_id: str, name: str | None = None) -> tuple[int, str]:
    """Decide through the route of RFC-0020, which tells its refusals by code."""
    answer = caller.decide(run_id, actor=name or caller.account)
    return answer.status_code, str(answer.json.get("detail", ""))


@contextmanager
def later(hours: float) -> Iterator[None]:
    with time_machine.travel(utcnow() + timedelta(hours=hours)):
        yield


def test_an_administrator_makes_a_token_submits_with_it_and_approves(bank: Bank) -> None:
    ada = bank.client("ada")
    run_id = bank.run(bank.token("batch", *FEED, by=ada))
    workflow_id, told = bank.item(run_id), f"ada {BEHIND}"
    assert on_page(ada, workflow_id) == (403, f"{told}: someone else must approve it.")
    assert on_page(ada, workflow_id, "override") == (403, f"{told}: someone else must override it.")
    # Nor with a second token of theirs, of whatever account.
    gate = bank.token("gate", *GATE, by=ada)
    assert by_api(gate, workflow_id) == (403, f"{told}, and made this token: someone else must approve it.")
    assert by_rfc(gate, run_id) == (403, "FOUR_EYES")
    # Nor with a token of the same account that somebody else made: the account is the same.
    eve = bank.client("eve", Role.ADMIN)
    renewed = bank.token("batch", *GATE, by=eve)
    sentence = "batch submitted this run: someone else must approve it."
    assert by_api(renewed, workflow_id) == (403, sentence)
    assert on_page(eve, workflow_id)[0] == 303


def test_the_other_way_round_what_an_administrator_submits_is_not_approved_with_their_token(bank: Bank) -> None:
    ada = bank.client("ada")
    feed = bank.token("batch", *FEED, *GATE, by=ada)
    workflow_id = bank.item(bank.run(feed))
    form = people.hidden_fields(ada.get(f"/studio/{segment(workflow_id.partition(':')[0])}"))
    started = people.post(ada, f"/studio/{segment(workflow_id.partition(':')[0])}", form | {"reason": "look"})
    assert started.status_code == 303, started.text
    with bank.app.app_context():
        query = select(WorkflowItem.workflow_id).where(WorkflowItem.subject_type == "trace_review")
        review_id = db.session.scalars(query).one()
    gate = bank.token("gate", *GATE, by=ada)
    told = "ada requested this review, and made this token: someone else must approve it."
    assert by_api(gate, review_id) == (403, told)
    assert on_page(ada, review_id) == (403, "ada requested this review: someone else must approve it.")
    assert on_page(bank.client("nora"), review_id)[0] == 303


def test_the_next_item_is_none_that_its_claimant_is_behind(bank: Bank) -> None:
    """The rows of the first three name the account of a token alone; ada made it."""
    ada, feed = bank.client("ada"), bank.token("other", *FEED)
    mine = bank.token("batch", *FEED, by=ada)
    for _ in range(3):
        bank.run(mine)
    other = bank.item(bank.run(feed))
    gate = bank.token("gate", *GATE, by=ada)
    taken = gate.send("POST", "/workflows/next", json={})
    assert taken.status_code == 200
    assert by_api(gate, other)[0] == 200
    assert other in taken.text
    assert gate.send("POST", "/workflows/next", json={}).json["data"]["claimed"] is None
    # Whoever has nothing to do with them is given them, the oldest first.
    assert bank.token("desk", *GATE).send("POST", "/workflows/next", json={}).json["data"]["claimed"] is not None


def test_an_administrator_sets_the_password_of_a_reviewer_and_approves_as_them(bank: Bank) -> None:
    ada, _nora = bank.client("ada"), bank.client("nora")
    run_id = bank.run(bank.token("batch", *FEED, by=ada))
    workflow_id = bank.item(run_id)
    assert alter(ada, "nora", "password", password=ANOTHER).status_code == 303
    as_nora = bank.client("nora", password=ANOTHER)
    told = f"ada {BEHIND}, and set the password or reset the passkeys of nora in the last 24 hours: someone else must approve it."
    page = as_nora.get(f"/inbox/{segment(workflow_id)}").text
    assert "set the password or reset the passkeys of" in page
    assert on_page(as_nora, workflow_id)[0] == 403
    assert re.sub(r" \(ada\)| \(nora\)", "", on_page(as_nora, workflow_id)[1]) == told
    with later(23.9):
        assert on_page(bank.client("nora", password=ANOTHER), workflow_id)[0] == 403
    with later(24.1):
        assert on_page(bank.client("nora", password=ANOTHER), workflow_id)[0] == 303


def test_an_administrator_who_waits_and_resets_passkeys_is_behind_the_password_again(bank: Bank) -> None:
    """A password that one administrator set opens nothing beside a passkey, until the same or another one takes that away."""
    ada, nora = bank.client("ada"), bank.client("nora")
    workflow_id = bank.item(bank.run(bank.token("batch", *FEED, by=ada)))
    passkeys.add(nora)
    assert alter(ada, "nora", "password", password=ANOTHER).status_code == 303
    assert "second" in people.sign_in(bank.app.test_client(), "nora", ANOTHER).text
    with later(25):
        assert alter(bank.client("cleo", Role.ADMIN), "nora", "passkeys").status_code == 303
        as_nora = bank.client("nora", password=ANOTHER)
        status, told = on_page(as_nora, workflow_id)
        assert (status, "ada" in told) == (403, True)
        with bank.app.app_context():
            person = db.session.get(Person, "nora")
            assert person is not None
            assert (person.password_set_by, person.password_principals) == ("cleo", ["ada", "cleo"])
    with later(25 + 24.1):
        assert on_page(bank.client("nora", password=ANOTHER), workflow_id)[0] == 303


def test_the_other_way_round_what_was_submitted_as_somebody_is_not_approved_a_day_later(bank: Bank) -> None:
    """The password was ada's when the proposal was made; that it is not any more undoes nothing."""
    ada, _leo = bank.client("ada"), bank.client("leo")
    assert alter(ada, "leo", "password", password=ANOTHER).status_code == 303
    as_leo = bank.client("leo", password=ANOTHER)
    form = people.hidden_fields(as_leo.get("/proposals/new/json"))
    body = {key: value for key, value in create_json().items() if key != "created_by"}
    sent = people.post(as_leo, "/proposals/new/json", form | {"document": json.dumps(body), "do": "create"})
    assert sent.status_code == 303, sent.text
    proposal_id = sent.headers["Location"].rpartition("/")[2]
    assert proposal_id.startswith("pp_"), proposal_id
    with later(30):
        as_leo = bank.client("leo", password=ANOTHER)
        steps = people.hidden_fields(as_leo.get(f"/proposals/{proposal_id}"))
        submitted = people.post(as_leo, f"/proposals/{proposal_id}/steps", steps | {"step": "submit_risk"})
        assert submitted.status_code == 303, submitted.text
        ada = bank.client("ada")
        item = review_item_id(proposal_id)
        assert on_page(ada, item) == (403, f"ada {BEHIND}: someone else must approve it.")
        refused = people.post(
            ada,
            f"/proposals/{proposal_id}/steps",
            people.hidden_fields(ada.get(f"/proposals/{proposal_id}")) | {"step": "approve_risk"},
        )
        assert refused.status_code == 403
        assert on_page(bank.client("nora"), item)[0] == 303


def test_who_resets_their_own_password_shares_it_with_nobody(bank: Bank) -> None:
    ada = bank.client("ada")
    run_id = bank.run(bank.token("batch", *FEED))
    alter(ada, "ada", "password", password=ANOTHER)
    again = bank.client("ada", password=ANOTHER)
    with bank.app.app_context():
        assert db.session.get_one(Person, "ada").password_set_by is None
    assert on_page(again, bank.item(run_id))[0] == 303


def test_a_new_person_is_whoever_chose_their_password(bank: Bank) -> None:
    ada = bank.client("ada")
    workflow_id = bank.item(bank.run(bank.token("batch", *FEED, by=ada)))
    form = {"name": "straw.man", "display_name": "", "password": ANOTHER, "role": "reviewer"}
    assert people.post(ada, "/admin", form).status_code in (200, 303)
    assert on_page(bank.client("straw.man", password=ANOTHER), workflow_id)[0] == 403


def test_a_token_that_speaks_for_others_submits_and_approves_as_someone(bank: Bank) -> None:
    people.hire(bank.app, "nora")
    gateway, gate = bank.token("gateway", *GATEWAY), bank.token("gate", *GATEWAY)
    run_id = bank.run(gateway)
    workflow_id, sentence = bank.item(run_id), "gateway submitted this run: someone else must approve it."
    for name in (None, "nora"):
        assert by_api(gateway, workflow_id, name) == (403, sentence)
        assert by_rfc(gateway, run_id, name) == (403, "FOUR_EYES")
    # Whoever is no enabled person here decides nothing, whoever vouches for them.
    people.hire(bank.app, "elsa", Role.REVIEWER, tenant="alpine")
    people.hire(bank.app, "max")
    alter(bank.client("ada"), "max", "disable")
    for name, why in (("nobody", "no person here"), ("elsa", "no person here"), ("batch", "no person here")):
        assert by_api(gate, workflow_id, name) == (403, f"{name} is {why}: nobody can act on their behalf.")
        assert by_rfc(gate, run_id, name) == (403, "ACTOR_MISMATCH")
    assert by_api(gate, workflow_id, "max") == (403, "max is disabled: nobody can act on their behalf.")
    assert by_api(gate, workflow_id, "nora")[0] == 200


def test_a_token_that_speaks_for_others_makes_a_proposal_and_approves_it_as_someone(bank: Bank) -> None:
    for name in ("leo", "nora"):
        people.hire(bank.app, name)
    gateway, gate = bank.token("gateway", *GATEWAY), bank.token("gate", *GATEWAY)
    unknown = create(gateway, create_json(created_by="nobody"), key="key-0")
    assert (unknown.status_code, unknown.json["detail"]) == (403, "ACTOR_MISMATCH")
    proposal_id = created(gateway, create_json(created_by="leo"))
    step(gateway, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", actor_id="leo")
    refused = approval(gateway, proposal_id, "RISK", "RISK_REVIEW", actor_id="nora")
    assert (refused.status_code, refused.json["detail"]) == (403, "FOUR_EYES")
    told = "gateway recorded it in the name of another: someone else must approve it."
    assert by_api(gateway, review_item_id(proposal_id), "nora") == (403, told)
    assert approval(gate, proposal_id, "RISK", "RISK_REVIEW", actor_id="nora").status_code == 200


def event(seq: int, event_type: str, payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"evt-{seq}",
        "tenant_id": "default",
        "trace_id": "line-1",
        "trace_seq": seq,
        "event_type": event_type,
        "occurred_at": "2026-03-02T09:00:00Z",
        "source": {"system": "credit", "producer_id": "credit"},
        "actor": {"actor_type": "person", "actor_id": "carla"},
        "idempotency_key": f"key-{seq}",
        "payload": payload,
    } | changes


def opens(caller: Caller) -> str:
    """Open an item of another system and return its id."""
    entity = {"entity_type": "client", "entity_id": "c-1"}
    began = {"workflow": "credit", "title": "Line", "primary_entity": entity}
    asked = {"exception_id": "ex", "policy": {"policy_id": "p", "policy_version": "1"}, "reason": "Over the line."}
    for seq, (kind, payload) in enumerate((("TraceStarted", began), ("ExceptionRequested", asked))):
        assert caller.send("POST", "/events", json=event(seq, kind, payload)).status_code == 201
    return "line-1:exception:ex"


def decides(caller: Caller, name: str, **changes: Any) -> tuple[int, str]:
    """Post the event that approves it in somebody's name."""
    payload = {
        "approval_id": "a",
        "subject": {"subject_type": "exception", "subject_id": "ex"},
        "approver": {"actor_type": "person", "actor_id": name},
        "decision": "approved",
        "evidence": {"acted_by": {"principals": ["somebody.else"]}},
    }
    answer = caller.send("POST", "/events", json=event(2, "ApprovalRecorded", payload, **changes))
    return answer.status_code, answer.json.get("error", {}).get("message", "")


def test_a_token_that_only_posts_events_approves_another_systems_item(bank: Bank) -> None:
    people.hire(bank.app, "nora")
    credit, thief = bank.token("credit", Permission.EVENTS_WRITE), bank.token("thief", Permission.EVENTS_WRITE)
    workflow_id = opens(credit)
    # The producer that an event names is a word like any other: the account is what counts.
    assert decides(thief, "nora") == (403, "This needs the permission workflow_review.")
    assert decides(thief, "thief") == (403, "This needs the permission workflow_review.")
    # The system that opened it names a person who is here, and not who asked.
    assert decides(credit, "nobody") == (403, "nobody is no person here: nobody can act on their behalf.")
    people.hire(bank.app, "carla", Role.REVIEWER)
    assert decides(credit, "carla") == (403, "carla requested this review: someone else must approve it.")
    assert decides(credit, "credit")[0] == 403
    assert decides(credit, "nora")[0] == 201
    page = bank.client("vera").get(f"/inbox/{segment(workflow_id)}").text
    assert "(through credit)" in page
    assert "through credit" in bank.client("vera").get("/inbox?tab=closed").text
    reader = bank.token("reader", Permission.RUNS_READ)
    detail = reader.get(f"/workflows/{segment(workflow_id)}").json["data"]
    assert [(one["on_behalf_of"], one["through"]) for one in detail["actions"]] == [("nora", "credit")]
    entries = reader.get("/traces/line-1").json["data"]["timeline"]
    (acted,) = [one for one in entries if one["kind"] == "action"]
    assert (acted["actor_id"], acted["posted_by"]["account"]) == ("nora", "credit")


def test_events_and_then_the_page_and_the_page_through_events(bank: Bank) -> None:
    ada, nora = bank.client("ada"), bank.client("nora")
    credit = bank.token("credit", Permission.EVENTS_WRITE, *GATE, by=ada)
    workflow_id, sentence = opens(credit), f"ada {BEHIND}: someone else must approve it."
    assert on_page(ada, workflow_id) == (403, sentence)
    told = "credit recorded it in the name of another: someone else must approve it."
    assert by_api(credit, workflow_id) == (403, told)
    # The system may decide what it opened, but not in the name of who made its token.
    assert decides(credit, "ada") == (403, sentence)
    # Another account that may review, and counts as the same pair of eyes.
    other = bank.token("other", Permission.EVENTS_WRITE, *GATE, by=ada)
    assert decides(other, "nora")[1] == f"ada {BEHIND}, and made this token: someone else must approve it."
    assert on_page(nora, workflow_id)[0] == 303
    with bank.app.app_context():
        assert_provable()


def test_what_is_stored_tells_who_really_acted(bank: Bank) -> None:
    ada, _nora = bank.client("ada"), bank.client("nora")
    run_id = bank.run(bank.token("batch", *FEED, by=ada))
    alter(ada, "nora", "password", password=ANOTHER)
    as_nora = bank.client("nora", password=ANOTHER)
    assert on_page(as_nora, bank.item(run_id), "reject")[0] == 303
    with bank.app.app_context():
        run = db.session.scalars(select(Run)).one()
        token = db.session.scalars(select(ApiToken)).one()
        assert run.acted_by == {
            "account": "batch",
            "actor_type": "service_account",
            "token_id": token.token_id,
            "token_made_by": "ada",
            "principals": ["ada", "batch"],
        }
        query = select(EventLogEntry.payload).where(EventLogEntry.event_type == "ApprovalRecorded")
        (acted_by,) = (
            payload["evidence"]["acted_by"] for payload in db.session.scalars(query) if "evidence" in payload
        )
        assert (acted_by["account"], acted_by["password_set_by"]) == ("nora", "ada")
        assert acted_by["principals"] == ["ada", "nora"]
        assert_provable()


@pytest.mark.environ(LOTUS_FOUR_EYES_EXEMPT_TENANTS="default")
def test_a_tenant_with_one_reviewer_may_and_each_use_is_in_the_audit_log(bank: Bank) -> None:
    ada = bank.client("ada")
    workflow_id = bank.item(bank.run(bank.token("batch", *FEED, by=ada)))
    assert on_page(ada, workflow_id)[0] == 303
    credit = bank.token("credit", Permission.EVENTS_WRITE, by=ada)
    opens(credit)
    assert decides(credit, "ada")[0] == 201
    assert bank.client("max").get("/audit?category=exempted").text.count("single reviewer") >= 2
