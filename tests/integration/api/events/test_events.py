"""POST /api/v1/events: appended once, refused with the contract's codes, nothing written when refused."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.identifiers import CORRELATION_MAX, SCENARIO_MAX, TRACE_MAX
from lotus_web.services.accounts.people import disable_person
from lotus_web.store.session import transaction
from tests.contract.callers import Caller, review_request, segment
from tests.integration.api.conftest import MakeCaller
from tests.support.analyses import batch_json
from tests.support.histories import EVENTS, assert_provable, count, review_requested
from tests.support.people import hire

TRACE = "/traces/trace%2F1%3Aa"


def event(seq: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the opening event of a trace, or the exception that follows it."""
    payloads = (
        {"workflow": "credit", "title": "Line", "primary_entity": {"entity_type": "client", "entity_id": "c-1"}},
        {"exception_id": "ex-1", "policy": {"policy_id": "credit", "policy_version": "3"}, "reason": "Over the line."},
    )
    return {
        "event_id": f"evt-{seq}",
        "tenant_id": "default",
        "trace_id": "trace/1:a",
        "trace_seq": seq,
        "event_type": ("TraceStarted", "ExceptionRequested")[seq],
        "occurred_at": "2026-11-03T14:00:00+02:00",
        "source": {"system": "credit", "producer_id": "credit-desk"},
        "actor": {"actor_type": "service_account", "actor_id": "credit-desk"},
        "idempotency_key": f"key-{seq}",
        "payload": payloads[seq],
    } | changes


def post(caller: Caller, document: Any) -> Any:
    body = document if isinstance(document, (bytes, str)) else json.dumps(document)
    return caller.send("POST", "/events", data=body, content_type="application/json")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


def test_an_event_is_stored_with_its_place_and_opens_an_item(chief: Caller) -> None:
    first, second = post(chief, event(0)), post(chief, event(1))
    assert (first.status_code, second.status_code) == (201, 201)
    stored = second.json["data"]
    assert stored["occurred_at"] == "2026-11-03T12:00:00.000000+00:00"
    assert stored["prev_hash"] == first.json["data"]["entry_hash"]
    assert second.json["request_id"] == second.headers["X-Request-Id"]
    item = chief.get("/workflows", trace_id="trace/1:a").json["data"]["items"][0]
    assert item["workflow_id"] == "trace/1:a:exception:ex-1"
    assert item["requested_by_actor"] == {"actor_type": "service_account", "actor_id": "credit-desk"}


def test_the_same_event_again_answers_the_stored_one(chief: Caller) -> None:
    first, again = post(chief, event(0)), post(chief, event(0))
    assert again.status_code == 200
    assert again.json["data"] == first.json["data"]


def test_the_log_says_which_account_fed_an_event_with_which_token(app: Flask, make_caller: MakeCaller) -> None:
    credit, other = make_caller("credit-feed"), make_caller("another-feed")
    stored = post(credit, event(0)).json["data"]
    assert stored["actor"]["actor_id"] == "credit-desk"
    fed = {"account": "credit-feed", "token_id": credit.bearer.split("_")[1]}
    assert stored["posted_by"] == fed
    assert post(other, event(0)).json["data"]["posted_by"] == fed
    timeline = credit.get("/traces/trace%2F1%3Aa").json["data"]["timeline"]
    assert [(entry["type"], entry["posted_by"]) for entry in timeline] == [("TraceStarted", fed)]
    with app.app_context():
        assert_provable()


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_an_event_reaches_the_trace_of_a_run_under_the_longest_names_allowed(chief: Caller) -> None:
    scenario = "s" * SCENARIO_MAX
    request = batch_json({scenario: {"options": {"cash_band_max_weight": "0.0001"}}})
    sent = {"X-Correlation-Id": "c" * CORRELATION_MAX}
    assert chief.send("POST", "/rebalance/analyze", json=request, headers=sent).json["failed_scenarios"] == {}
    trace_id = f"{'c' * CORRELATION_MAX}:{scenario}"
    assert len(trace_id) == TRACE_MAX
    known = chief.get(f"/traces/{trace_id}").json["data"]["timeline"]
    named = {"trace_id": trace_id, "correlation_id": trace_id, "event_type": "PrecedentCited"}
    cited = {"cited_trace_id": trace_id, "reason": "The same limits."}
    following = sum(row["kind"] == "event" for row in known)
    answer = post(chief, event(0, **named, trace_seq=following, payload=cited))
    assert answer.status_code == 201, answer.text


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_nobody_fed_the_events_of_a_run(chief: Caller) -> None:
    chief.run(review_request(), correlation="corr-1")
    timeline = chief.get("/traces/corr-1").json["data"]["timeline"]
    assert {entry["posted_by"] for entry in timeline} == {None}


def test_numbers_are_compared_as_numbers(chief: Caller) -> None:
    payload = event(0)["payload"]
    assert post(chief, event(0, payload=payload | {"limit": 0.5})).status_code == 201
    text = json.dumps(event(0, payload=payload | {"limit": 0})).replace('"limit": 0', '"limit": 5.0E-1')
    assert post(chief, text).status_code == 200


def test_the_same_key_with_other_content_conflicts(chief: Caller) -> None:
    post(chief, event(0))
    other = event(0, payload=event(0)["payload"] | {"title": "Another"})
    assert code(post(chief, other)) == (409, "idempotency_conflict")


def test_a_gap_in_the_trace_conflicts(chief: Caller) -> None:
    post(chief, event(0))
    answer = post(chief, event(1, trace_seq=3))
    assert code(answer) == (409, "trace_seq_conflict")
    assert answer.json["error"]["details"] == {"expected": 1, "sent": 3}


REQUIRED = sorted(event(0))


@pytest.mark.parametrize("key", REQUIRED)
def test_an_envelope_without_a_required_key_is_malformed(chief: Caller, key: str) -> None:
    document = event(0)
    del document[key]
    assert code(post(chief, document)) == (400, "invalid_argument")


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "TraceEnded"},
        {"payload": {"workflow": "credit"}},
        {"event_type": "ExceptionRequested", "payload": event(1)["payload"]},
        {"schema_version": 2},
        {"occurred_at": "2026-11-03T12:00:00"},
        {"occurred_at": 1762171200},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"trace_seq": "0"},
        {"trace_seq": -1},
        {"tags": ["a\x00b"]},
        {"event_id": "evt\x00"},
        {"event_id": ""},
        {"trace_id": "t" * (TRACE_MAX + 1)},
        {"source": {"system": "credit", "producer_id": "lotus-web"}},
        {"source": {"system": "credit", "producer_id": "p", "subsystem": "\ud800"}},
        {"actor": {"actor_type": "service_account"}},
        {"payload": event(0)["payload"] | {"note": "x" * 70_000}},
        {"payload": event(0)["payload"] | {"note": "nul \x00"}},
        {"payload": event(0)["payload"] | {"primary_entity": {"entity_type": "client", "entity_id": "c" * 256}}},
        {"payload": []},
        {"log_seq": 7},
        {"tenant_id": "other"},
    ],
    ids=str,
)
def test_what_cannot_be_an_event_is_malformed(chief: Caller, changes: dict[str, Any]) -> None:
    answer = post(chief, event(0, **changes))
    assert code(answer) == (400, "invalid_argument"), answer.text
    assert chief.get("/traces/trace%2F1%3Aa").status_code == 404


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", "null", '"event"', "\x00", '{"a": NaN}', "[" * 5000, '{"payload": 1e999999999}', b"\xff\xfe"],
)
def test_what_is_no_json_object_is_malformed(chief: Caller, body: str | bytes) -> None:
    assert code(post(chief, body)) == (400, "invalid_argument")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "body: Field required"),
        ("[]", "body: Input should be a valid dictionary"),
        ("{,", "The body is not JSON: Expecting property name enclosed in double quotes at character 1."),
        (b"\xff", "The body is not JSON: Expecting UTF-8 text with finite numbers at character 0."),
        (json.dumps(event(0, source="credit")), "source: Input should be a valid dictionary"),
    ],
    ids=str,
)
def test_what_is_malformed_is_told_without_the_names_of_our_code(
    chief: Caller, body: str | bytes, message: str
) -> None:
    answer = post(chief, body)
    assert answer.json["error"]["message"] == message
    assert not re.search(r"instance of|EventBody|SourceBody|Error\b", answer.text)


def test_a_number_that_no_store_keeps_is_malformed(chief: Caller) -> None:
    text = json.dumps(event(0, payload=event(0)["payload"] | {"limit": 0})).replace('"limit": 0', '"limit": 1E+999999')
    assert code(post(chief, text)) == (400, "invalid_argument")


def test_events_need_their_permission(make_caller: MakeCaller) -> None:
    answer = post(make_caller("rob", [Permission.RUNS_READ, Permission.RUNS_WRITE]), event(0))
    assert code(answer) == (403, "forbidden")
    assert answer.json["error"]["details"] == {"permission": "events_write"}


def test_the_same_event_from_many_at_once_is_stored_once(app: Flask, chief: Caller) -> None:
    def send(_: int) -> int:
        own = Caller(app.test_client(), chief.account, chief.bearer)
        return int(post(own, event(0)).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [200] * 7 + [201]


def test_an_approval_of_the_same_system_closes_its_item(app: Flask, chief: Caller) -> None:
    post(chief, event(0))
    post(chief, event(1))
    approval = event(0) | {
        "event_id": "evt-2",
        "trace_seq": 2,
        "event_type": "ApprovalRecorded",
        "idempotency_key": "key-2",
        "payload": {
            "approval_id": "a-1",
            "subject": {"subject_type": "exception", "subject_id": "ex-1"},
            "approver": {"actor_type": "person", "actor_id": "carla"},
            "decision": "approved",
            "reason": "within appetite",
        },
    }
    assert code(post(chief, approval)) == (403, "forbidden")
    hire(app, "carla", Role.REVIEWER)
    assert post(chief, approval).status_code == 201
    item = chief.get("/workflows/trace%2F1%3Aa%3Aexception%3Aex-1").json["data"]
    assert item["workflow"]["status"] == "approved"
    assert (item["actions"][0]["on_behalf_of"], item["actions"][0]["through"]) == ("carla", "chief")


@pytest.mark.parametrize("subject_type", ["trace_review", "override"])
@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_a_feed_decides_nothing_that_the_house_opened(
    app: Flask, chief: Caller, make_caller: MakeCaller, subject_type: str, decision: str
) -> None:
    post(chief, event(0))
    path = "/workflow-studio/traces/trace%2F1%3Aa/reviews"
    started = chief.send("POST", path, json={"template_id": "exception_follow_up"}).json["data"]["workflow"]
    workflow_id = started["workflow_id"]
    path = f"/workflows/{segment(workflow_id)}"
    refused = chief.send("POST", f"{path}/actions", json={"action": "approve", "reason": "mine"})
    assert code(refused) == (403, "four_eyes")
    feed = make_caller("credit-desk", [Permission.EVENTS_WRITE])
    approval = {
        "approval_id": "a-1",
        "subject": {
            "subject_type": subject_type,
            "subject_id": workflow_id if subject_type == "override" else "exception_follow_up",
        },
        "approver": {"actor_type": "service_account", "actor_id": "chief"},
        "decision": decision,
    }
    fed = event(0, event_id="evt-9", trace_seq=2, event_type="ApprovalRecorded", idempotency_key="k9", payload=approval)
    assert post(feed, fed | {"occurred_at": "2020-01-01T00:00:00Z"}).status_code == 201
    item = chief.get(path).json["data"]
    assert (item["workflow"], item["actions"]) == (started, [])
    assert "ApprovalRecorded" in [entry["type"] for entry in chief.get(TRACE).json["data"]["timeline"]]
    with app.app_context():
        assert_provable()


def test_an_approval_is_never_older_than_what_it_decides(app: Flask, chief: Caller) -> None:
    hire(app, "carla", Role.REVIEWER)
    post(chief, event(0))
    post(chief, event(1))
    approval = {
        "approval_id": "a-1",
        "subject": {"subject_type": "exception", "subject_id": "ex-1"},
        "approver": {"actor_type": "person", "actor_id": "carla"},
        "decision": "approved",
    }
    fed = event(0, event_id="evt-2", trace_seq=2, event_type="ApprovalRecorded", idempotency_key="k2", payload=approval)
    post(chief, fed | {"occurred_at": "2020-01-01T00:00:00Z"})
    item = chief.get("/workflows/trace%2F1%3Aa%3Aexception%3Aex-1").json["data"]
    assert item["workflow"]["resolved_at"] == item["workflow"]["requested_at"]
    with app.app_context():
        assert_provable()


def test_a_time_ahead_of_ours_sets_no_deadline(app: Flask, chief: Caller) -> None:
    soon, later = (utcnow() + timedelta(minutes=minutes) for minutes in (4, 6))
    for ahead in (later, later + timedelta(days=36_500)):
        refused = post(chief, event(0, occurred_at=ahead.isoformat()))
        assert code(refused) == (400, "invalid_argument")
        assert "ahead of the clock" in refused.json["error"]["message"]
    with app.app_context():
        assert count("dg_event_log", EVENTS) == 0
    assert post(chief, event(0, occurred_at=soon.isoformat())).status_code == 201
    assert post(chief, event(1, occurred_at=soon.isoformat())).status_code == 201
    assert code(post(chief, event(1, occurred_at=later.isoformat(), event_id="evt-3", idempotency_key="k3"))) == (
        400,
        "invalid_argument",
    )


def test_a_review_is_given_to_somebody_who_is_here_and_may_review(app: Flask, chief: Caller) -> None:
    def asked(**assignee: str) -> Any:
        subject = {"subject_type": "trace", "subject_id": "trace/1:a"}
        payload = review_requested(assignee=assignee, subject=subject)
        return post(chief, event(1, event_type="WorkflowReviewRequested", payload=payload))

    hire(app, "vera")
    hire(app, "nora")
    post(chief, event(0))
    for assignee in ({"account_id": "nobody"}, {"account_id": "vera"}, {"role": "viewer"}, {"role": "tier-9"}):
        refused = asked(**assignee)
        assert code(refused) == (400, "invalid_argument"), assignee
        assert re.search("cannot review items|There is no role", refused.json["error"]["message"]), refused.text
    with app.app_context():
        assert (count("dg_event_log", EVENTS), count("dg_workflow_items")) == (1, 0)
    assert asked(account_id="nora").status_code == 201
    with app.app_context(), transaction() as session:
        disable_person(session, name="nora", now=utcnow())
    assert asked(account_id="nora").status_code == 200
