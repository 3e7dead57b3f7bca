"""Input that is wrong, odd or hostile: a clear refusal each, and nothing written (proposals-api §7–9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from lotus_web.wire.audit import export_faults
from tests.contract.callers import Caller
from tests.contract.conftest import Count, MakeCaller, written
from tests.contract.proposals.requests import PROPOSALS, approval, created, path_of, step
from tests.support.proposals import create_json, version_json

Change = Callable[[dict[str, Any]], object]


def raw(caller: Caller, path: str, data: bytes, key: str = "k", kind: str = "application/json") -> Any:
    return caller.send("POST", path, data=data, headers={"Idempotency-Key": key, "Content-Type": kind})


def places(answer: Any) -> list[Any]:
    assert answer.status_code == 422, answer.text
    return [problem["loc"] for problem in answer.json["detail"]]


CREATE: list[tuple[Change, list[Any]]] = [
    (lambda body: body.pop("created_by"), ["body", "created_by"]),
    (lambda body: body.update(created_by=None), ["body", "created_by"]),
    (lambda body: body.update(created_by=7), ["body", "created_by"]),
    (lambda body: body.update(created_by=""), ["body", "created_by"]),
    (lambda body: body.update(created_by=" a"), ["body", "created_by"]),
    (lambda body: body.update(created_by="a" * 129), ["body", "created_by"]),
    (lambda body: body.pop("simulate_request"), ["body", "simulate_request"]),
    (lambda body: body.update(simulate_request=[]), ["body", "simulate_request"]),
    (lambda body: body.update(metadata=None), ["body", "metadata"]),
    (lambda body: body.update(metadata=[]), ["body", "metadata"]),
    (lambda body: body["metadata"].update(title=1), ["body", "metadata", "title"]),
    (lambda body: body["metadata"].update(title="a" * 256), ["body", "metadata", "title"]),
    (lambda body: body["metadata"].update(title="a\u202eb"), ["body", "metadata", "title"]),
    (lambda body: body["metadata"].update(advisor_notes="a" * 10_001), ["body", "metadata", "advisor_notes"]),
    (lambda body: body["simulate_request"].update(options=None), ["body", "simulate_request", "options"]),
    (
        lambda body: body["simulate_request"].update(proposed_trades=None),
        ["body", "simulate_request", "proposed_trades"],
    ),
    (
        lambda body: body["simulate_request"]["options"].update(enable_proposal_simulation="maybe"),
        ["body", "simulate_request", "options", "enable_proposal_simulation"],
    ),
    (
        lambda body: body["simulate_request"]["proposed_trades"][0].update(quantity=1.5),
        ["body", "simulate_request", "proposed_trades", 0, "quantity"],
    ),
    (
        lambda body: body["simulate_request"]["market_data_snapshot"]["prices"][0].update(price="NaN"),
        ["body", "simulate_request", "market_data_snapshot", "prices", 0, "price"],
    ),
    (
        lambda body: body["simulate_request"]["market_data_snapshot"]["prices"][0].update(price=True),
        ["body", "simulate_request", "market_data_snapshot", "prices", 0, "price"],
    ),
    (
        lambda body: body["simulate_request"]["portfolio_snapshot"].update(portfolio_id=""),
        ["body", "simulate_request", "portfolio_snapshot", "portfolio_id"],
    ),
]


@pytest.mark.stores("sqlite")
def test_a_proposal_that_is_wrong_is_refused_at_its_place(engine: Caller, count_rows: Callable[[], Count]) -> None:
    proposal_id, before = created(engine, key="first"), count_rows()
    for number, (change, place) in enumerate(CREATE):
        bodies = {PROPOSALS: create_json()}
        if place[1] != "metadata":
            bodies[path_of(proposal_id, "versions")] = version_json()
        for path, body in bodies.items():
            change(body)
            answer = engine.send("POST", path, json=body, headers={"Idempotency-Key": f"k{number}"})
            assert places(answer) == [place], (number, path)
    assert set(written(before, count_rows())) == {"dg_audit_records"}


@pytest.mark.stores("sqlite")
def test_a_row_that_comes_twice_is_named(engine: Caller) -> None:
    body = create_json()
    prices = body["simulate_request"]["market_data_snapshot"]["prices"]
    prices.append(prices[0])
    answer = engine.send("POST", PROPOSALS, json=body, headers={"Idempotency-Key": "k"})
    assert prices[0]["instrument_id"] in str(answer.json["detail"])
    assert answer.status_code == 422


STEPS: list[tuple[str, dict[str, Any], str]] = [
    ("transitions", {"event_type": "NO_EVENT"}, "event_type"),
    ("transitions", {"event_type": None}, "event_type"),
    ("transitions", {"event_type": "cancelled"}, "event_type"),
    ("transitions", {"actor_id": ""}, "actor_id"),
    ("transitions", {"actor_id": None}, "actor_id"),
    ("transitions", {"expected_state": "NOWHERE"}, "expected_state"),
    ("transitions", {"expected_state": 3}, "expected_state"),
    ("transitions", {"related_version_no": "one"}, "related_version_no"),
    ("transitions", {"related_version_no": 1.5}, "related_version_no"),
    ("transitions", {"related_version_no": []}, "related_version_no"),
    ("transitions", {"reason": None}, "reason"),
    ("transitions", {"reason": "because"}, "reason"),
    ("transitions", {"reason": {"long": "a" * 70_000}}, "reason"),
    ("approvals", {"approval_type": "LEGAL"}, "approval_type"),
    ("approvals", {"approved": "maybe"}, "approved"),
    ("approvals", {"approved": None}, "approved"),
    ("approvals", {"approved": 2}, "approved"),
    ("approvals", {"details": None}, "details"),
    ("approvals", {"details": []}, "details"),
]


@pytest.mark.stores("sqlite")
def test_a_step_that_is_wrong_is_refused_at_its_place(engine: Caller, count_rows: Callable[[], Count]) -> None:
    proposal_id = created(engine)
    before = count_rows()
    for part, change, place in STEPS:
        post = step if part == "transitions" else approval
        answer = post(engine, proposal_id, "CANCELLED" if part == "transitions" else "RISK", "DRAFT", **change)
        assert places(answer) == [["body", place]], (part, change)
    assert set(written(before, count_rows())) == {"dg_audit_records"}


NO_OBJECTS = [
    *(b"", b"{", b"[]", b"null", b'"text"', b"7", b'{"a": NaN}', b"\xff", b'{"a": "\\ud800"}'),
    *(b"[" * 3000, b'{"a":' * 400 + b"1" + b"}" * 400),
]


@pytest.mark.stores("sqlite")
def test_what_is_no_json_object_is_refused(engine: Caller) -> None:
    for part, data in product(("", "versions", "transitions", "approvals"), NO_OBJECTS):
        path = path_of("pp_x", part) if part else PROPOSALS
        assert all(place[0] == "body" for place in places(raw(engine, path, data)))


@pytest.mark.stores("sqlite")
def test_a_body_beyond_the_limit_is_refused(engine: Caller, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    assert raw(engine, PROPOSALS, b" " * (1024 * 1024 + 1)).status_code == 413
    assert written(before, count_rows()) == {}


@pytest.mark.stores("sqlite")
def test_lax_booleans_and_numbers_are_read_as_the_reference_reads_them(engine: Caller, make_caller: MakeCaller) -> None:
    yes = dict.fromkeys((True, "1", "yes", "ON", "t", "Y"), "AWAITING_CLIENT_CONSENT")
    no = dict.fromkeys((False, "0", "no", "OFF", "f", "N"), "REJECTED")
    reviewer = make_caller("gate")
    for number, (word, state) in enumerate(
        [*yes.items(), (1, "AWAITING_CLIENT_CONSENT"), *no.items(), (0, "REJECTED")]
    ):
        proposal_id = created(engine, key=f"key-{number}")
        step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", related_version_no="1")
        lax: dict[str, Any] = {"approved": word, "related_version_no": 1.0, "actor_id": "gate"}
        assert approval(reviewer, proposal_id, "RISK", "RISK_REVIEW", **lax).json["current_state"] == state, word


NOTE: dict[str, Any] = {
    "z": 1,
    "a": {"nested": [1, 0.1, 1e300, -0.0, None, True, "ü 👋🏽", {"": ""}]},
    "idempotency_key": "k",
    "long": "a" * 1000,
    "big": 10**100,
}


def test_what_is_said_about_a_step_is_given_back_as_it_came(engine: Caller) -> None:
    proposal_id = created(engine)
    answer = step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT", reason=NOTE)
    assert answer.json["latest_workflow_event"]["reason"] == NOTE
    assert list(json.loads(answer.data)["latest_workflow_event"]["reason"]) == list(NOTE)
    events = engine.get(path_of(proposal_id, "workflow-events")).json["events"]
    assert events[-1]["reason"] == NOTE


# Which numbers a double has exactly; of any other a number in JSON would lose digits.
NUMBERS: dict[str, Any] = {
    "0.1": 0.1,
    "1.10": 1.1,
    "-2.5e-3": -0.0025,
    "0.1234567890123456": 0.1234567890123456,
    "12345678901234567890": 12345678901234567890,
    "0.12345678901234567890": "0.12345678901234567890",
    "9007199254740993.0": "9007199254740993.0",
    "1e390": "1E+390",
    "1e-390": "1E-390",
}


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_no_digit_of_a_number_in_what_is_said_is_lost(engine: Caller, reviewer: Caller) -> None:
    """It is the same in the first answer, its repetition, the look-ups and the export, which verifies."""
    proposal_id, said = created(engine), list(NUMBERS.values())
    numbers = ",".join(NUMBERS)
    step(engine, proposal_id, "SUBMITTED_FOR_RISK_REVIEW", "DRAFT")
    body = (
        '{"approval_type":"RISK","approved":true,"actor_id":"rosa.reviewer","expected_state":"RISK_REVIEW",'
        f'"details":{{"n":[{numbers}]}}}}'
    )
    path = path_of(proposal_id, "approvals")
    first, again = (raw(reviewer, path, body.encode()) for _ in range(2))
    assert (first.status_code, first.data) == (200, again.data)
    (listed,) = engine.get(path).json["approvals"]
    event = engine.get(path_of(proposal_id, "workflow-events")).json["events"][-1]
    for told in (first.json["approval"]["details"], listed["details"], event["reason"]):
        assert told == {"n": said}
    exported = engine.get(f"/admin/proposals/{proposal_id}/export")
    assert [Decimal(one) for one in exported.json["data"]["approvals"][0]["details"]["n"]] == [*map(Decimal, NUMBERS)]
    assert export_faults(json.loads(exported.data, parse_float=Decimal)) == ()


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_told_which_there_are(engine: Caller, method: str) -> None:
    for path, allowed in ((PROPOSALS, "GET, HEAD, POST"), (path_of("pp_x", "approvals"), "GET, HEAD, POST")):
        answer = engine.send(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
