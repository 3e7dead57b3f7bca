"""Who may call what under /api/v1, for every route there is: one table of expectations, and other tenants' ids are unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import ROLE_PERMISSIONS, Permission, Role
from tests.contract.callers import Caller, segment
from tests.integration.api.conftest import MakeCaller
from tests.support.events import open_item

READS, REVIEWS = Permission.RUNS_READ, Permission.WORKFLOW_REVIEW
# Every control-plane route with what it needs; None is any valid token (the action decides, or only one's own is shown).
NEEDS: dict[tuple[str, str], Permission | None] = {
    ("GET", "/api/v1/workflows"): READS,
    ("GET", "/api/v1/workflows/<ident:workflow_id>"): READS,
    ("POST", "/api/v1/workflows/<ident:workflow_id>/actions"): None,
    ("POST", "/api/v1/workflows/next"): REVIEWS,
    ("GET", "/api/v1/traces/<ident:trace_id>"): READS,
    ("GET", "/api/v1/workflow-studio/templates"): READS,
    ("GET", "/api/v1/workflow-studio/traces/<ident:trace_id>"): READS,
    ("POST", "/api/v1/workflow-studio/traces/<ident:trace_id>/reviews"): REVIEWS,
    ("GET", "/api/v1/notifications"): None,
    ("POST", "/api/v1/notifications/<ident:notification_id>/read"): None,
    ("GET", "/api/v1/reason-codes"): READS,
    ("GET", "/api/v1/admin/workflows/<ident:workflow_id>/export"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/admin/proposals/<ident:proposal_id>/export"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/admin/workflows/<ident:workflow_id>/archive"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/decisions/<ident:decision_id>/receipt"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/log/checkpoint"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/log/tile/<path:tile>"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/log/proof/inclusion/<ident:event_id>"): Permission.WORKFLOW_EXPORT,
    ("GET", "/api/v1/log/proof/consistency"): Permission.WORKFLOW_EXPORT,
    ("POST", "/api/v1/events"): Permission.EVENTS_WRITE,
}
IDS = {
    "<ident:workflow_id>": "t:exception:ex",
    "<ident:trace_id>": "t",
    "<ident:notification_id>": "ntf_0",
}


def routes_of(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and not rule.rule.startswith("/api/v1/rebalance"):
            yield from ((method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def path_of(rule: str, **ids: str) -> str:
    for part, value in (IDS | ids).items():
        rule = rule.replace(part, segment(value))
    return rule.removeprefix("/api/v1")


@pytest.mark.stores("sqlite")
def test_every_route_is_in_the_table(app: Flask) -> None:
    assert set(routes_of(app)) == set(NEEDS)


@pytest.mark.stores("sqlite")
def test_no_route_answers_without_a_token(app: Flask) -> None:
    for method, rule in NEEDS:
        answer = app.test_client().open(f"/api/v1{path_of(rule)}", method=method, json={})
        assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthenticated"), rule
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_its_permissions_open(app: Flask, make_caller: MakeCaller, role: Role) -> None:
    held = ROLE_PERMISSIONS[role]
    open_item(app, "t", at=utcnow())
    caller = make_caller("casey", held)
    for (method, rule), needed in NEEDS.items():
        answer = caller.send(method, path_of(rule), json={"action": "reassign"} if "actions" in rule else {})
        if needed is not None:
            assert (answer.status_code == 403) == (needed not in held), (rule, answer.text)
        assert answer.status_code != 401
        if answer.status_code == 403:
            assert answer.json["error"]["code"] == "forbidden"


def test_another_tenants_ids_answer_as_unknown_ones(app: Flask, make_caller: MakeCaller) -> None:
    open_item(app, "t", at=utcnow())
    open_item(app, "u", at=utcnow(), tenant="other")
    stranger: Caller = make_caller("stranger", tenant="other")
    for method, rule in NEEDS:
        if "<" not in rule:
            continue
        body = {"action": "approve", "reason": "mine now"} if "actions" in rule else {}
        theirs = stranger.send(method, path_of(rule), json=body)
        unknown = stranger.send(
            method,
            path_of(
                rule,
                **{"<ident:workflow_id>": "x:exception:x", "<ident:trace_id>": "x", "<ident:notification_id>": "x"},
            ),
            json=body,
        )
        assert theirs.status_code == unknown.status_code == 404, rule
        assert theirs.json["error"] == unknown.json["error"]
    assert [item["trace_id"] for item in stranger.get("/workflows").json["data"]["items"]] == ["u"]
    denied = make_caller("chief").get("/workflows", headers={"X-Tenant-Id": "other"})
    assert (denied.status_code, denied.json["error"]["code"]) == (403, "forbidden")


def test_the_same_trace_id_is_another_trace_in_another_tenant(app: Flask, make_caller: MakeCaller) -> None:
    open_item(app, "t", at=utcnow())
    other = open_item(app, "t", at=utcnow(), tenant="other")
    stranger = make_caller("stranger", tenant="other")
    done = stranger.send("POST", f"/workflows/{segment(other)}/actions", json={"action": "approve", "reason": "ok"})
    assert done.status_code == 200
    mine = make_caller("chief").get(f"/workflows/{segment(other)}").json["data"]["workflow"]
    assert mine["status"] == "requested"


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/workflows", 405)])
def test_what_is_not_there_answers_in_the_envelope(chief: Caller, method: str, path: str, status: int) -> None:
    answer = chief.send(method, path)
    assert answer.status_code == status
    assert set(answer.json) == {"error", "request_id"}
