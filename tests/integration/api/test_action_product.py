"""Every status, every action, with and without its permission, on both JSON surfaces: what happens is this table."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from lotus_web.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.domain.workflow import Action
from tests import desk
from tests.contract.callers import Caller, segment
from tests.integration.api.conftest import MakeCaller
from tests.outside import account, open_items

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")

NO = "-"
# Item of another system: from (rows) by action (columns) to. Contract: workflow.md §2.
TABLE = """
                  claim     release   approve  reject   request_change    comment           reassign          escalate  override
requested         in_review -         approved rejected changes_requested requested         requested         escalated overridden
in_review         -         requested approved rejected changes_requested in_review         in_review         escalated overridden
changes_requested in_review -         approved rejected changes_requested changes_requested changes_requested escalated overridden
escalated         escalated -         approved rejected changes_requested escalated         escalated         -         overridden
approved          -         -         -        -        -                 approved          -                 -         -
rejected          -         -         -        -        -                 rejected          -                 -         -
overridden        -         -         -        -        -                 overridden        -                 -         -
"""
# What the gate of RFC-0020 adds for runs: (status, action) to status.
RUN_EXTRA = {
    ("approved", "reject"): "rejected",
    ("approved", "request_change"): "changes_requested",
    ("rejected", "request_change"): "changes_requested",
}
# The gate: item status (rows) by RFC action (columns) to item status.
GATE_TABLE = """
                  APPROVE  REJECT   REQUEST_CHANGES
requested         approved rejected changes_requested
in_review         approved rejected changes_requested
changes_requested approved rejected changes_requested
escalated         approved rejected changes_requested
approved          -        rejected changes_requested
rejected          -        -        changes_requested
overridden        -        -        -
"""
NEEDS = {
    "claim": Permission.WORKFLOW_REVIEW,
    "release": Permission.WORKFLOW_REVIEW,
    "approve": Permission.WORKFLOW_REVIEW,
    "reject": Permission.WORKFLOW_REVIEW,
    "request_change": Permission.WORKFLOW_REVIEW,
    "comment": Permission.WORKFLOW_REVIEW,
    "reassign": Permission.WORKFLOW_ASSIGN,
    "escalate": Permission.WORKFLOW_ESCALATE,
    "override": Permission.WORKFLOW_OVERRIDE,
}
WAY_TO = {
    "requested": (),
    "in_review": (Action.CLAIM,),
    "changes_requested": (Action.REQUEST_CHANGE,),
    "escalated": (Action.ESCALATE,),
    "approved": (Action.APPROVE,),
    "rejected": (Action.REJECT,),
    "overridden": (Action.OVERRIDE,),
}
SETTER = account("sam", *(permission for permission in Permission))


def read_table(text: str) -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in text.strip().splitlines())
    return {(row[0], action): after for row in rows for action, after in zip(head, row[1:], strict=True)}


def bring_to(app: Flask, workflow_id: str, status: str) -> None:
    for action in WAY_TO[status]:
        phrase = f"OVERRIDE {workflow_id.upper()}"
        desk.act(app, workflow_id, action, by=SETTER, text="on the way", confirm_text=phrase)


def body_of(action: str, workflow_id: str) -> dict[str, Any]:
    extra = {
        "comment": {"note": "looked at it"},
        "reassign": {"assigned_role": "manager"},
        "override": {"reason": "agreed", "confirm_text": f"OVERRIDE {workflow_id.upper()}"},
    }
    return {"action": action} | extra.get(action, {"reason": "as discussed"})


def status_of(caller: Caller, workflow_id: str) -> tuple[str, int, int]:
    data = caller.get(f"/workflows/{segment(workflow_id)}").json["data"]
    return data["workflow"]["status"], data["workflow"]["version"], len(data["actions"])


def items(app: Flask, *, runs: bool, number: int) -> list[str]:
    if not runs:
        return open_items(app, [f"t{index}" for index in range(number)], at=utcnow())
    return [desk.item(app, key=f"k{index}") for index in range(number)]


def tried(app: Flask, permitted: Caller, reader: Caller, workflow_id: str, status: str, action: str) -> str:
    """Try an action without and with its permission and return what it led to, or ``-`` for a refusal."""
    bring_to(app, workflow_id, status)
    before = status_of(reader, workflow_id)
    path, body = f"/workflows/{segment(workflow_id)}/actions", body_of(action, workflow_id)
    forbidden = reader.send("POST", path, json=body)
    assert forbidden.status_code == 403
    assert forbidden.json["error"]["code"] == "forbidden"
    assert forbidden.json["error"]["details"]["permission"] == NEEDS[action].value
    assert status_of(reader, workflow_id) == before
    answer = permitted.send("POST", path, json=body)
    after = status_of(reader, workflow_id)
    if answer.status_code == 200:
        assert after[1:] == (before[1] + 1, before[2] + 1)
        return str(answer.json["data"]["workflow"]["status"])
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "invalid_transition")
    assert after == before
    return NO


@pytest.mark.parametrize("action", [action.value for action in Action])
def test_an_item_of_another_system_goes_where_the_table_says(app: Flask, make_caller: MakeCaller, action: str) -> None:
    expected = {pair: after for pair, after in read_table(TABLE).items() if pair[1] == action}
    others = [Permission.RUNS_READ, *(one for one in NEEDS.values() if one is not NEEDS[action])]
    # The holder of a claim may let go; so may who assigns.
    permitted = make_caller("pia", [Permission.RUNS_READ, NEEDS[action], Permission.WORKFLOW_ASSIGN])
    reader = make_caller("rob", others)
    found = {
        (status, action): tried(app, permitted, reader, workflow_id, status, action)
        for workflow_id, status in zip(items(app, runs=False, number=len(WAY_TO)), WAY_TO, strict=True)
    }
    assert found == expected


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("action", [action.value for action in Action])
def test_the_item_of_a_run_can_also_be_reversed_and_reopened(app: Flask, make_caller: MakeCaller, action: str) -> None:
    table = read_table(TABLE) | RUN_EXTRA
    permitted = make_caller("pia", [Permission.RUNS_READ, NEEDS[action], Permission.WORKFLOW_ASSIGN])
    reader = make_caller("rob", [Permission.RUNS_READ])
    found = {
        (status, action): tried(app, permitted, reader, workflow_id, status, action)
        for workflow_id, status in zip(items(app, runs=True, number=len(WAY_TO)), WAY_TO, strict=True)
    }
    assert found == {pair: after for pair, after in table.items() if pair[1] == action}


@pytest.mark.parametrize("action", ["APPROVE", "REJECT", "REQUEST_CHANGES"])
def test_the_gate_of_a_run_goes_where_the_table_says(app: Flask, make_caller: MakeCaller, action: str) -> None:
    permitted = make_caller("pia", [Permission.RUNS_READ, Permission.WORKFLOW_REVIEW])
    reader = make_caller("rob", [Permission.RUNS_READ, Permission.WORKFLOW_OVERRIDE, Permission.WORKFLOW_ASSIGN])
    found = {}
    for workflow_id, status in zip(items(app, runs=True, number=len(WAY_TO)), WAY_TO, strict=True):
        bring_to(app, workflow_id, status)
        run_id = workflow_id.rpartition(":")[2]
        before = status_of(reader, workflow_id)
        assert reader.decide(run_id, action).status_code == 403
        answer = permitted.decide(run_id, action)
        after = status_of(reader, workflow_id)
        if answer.status_code != 200:
            assert (answer.status_code, answer.json["detail"]) == (409, "DPM_WORKFLOW_INVALID_TRANSITION")
            assert after == before
        found[status, action] = after[0] if answer.status_code == 200 else NO
    assert found == {pair: after for pair, after in read_table(GATE_TABLE).items() if pair[1] == action}


def test_the_tables_know_every_status_and_every_action() -> None:
    assert {action for _, action in read_table(TABLE)} == {action.value for action in Action} == set(NEEDS)
    assert {status for status, _ in read_table(TABLE)} == set(WAY_TO)
