"""Whoever is known and is refused a write leaves one line on record, wherever it is refused; looking leaves none, exporting neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.api.endpoint.routing import declared_routes
from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.models import AuditRecord
from lotus_web.services.audit.records import TEXT_MAX
from lotus_web.store.session import db
from lotus_web.web.guard.access import access_of, is_json_blueprint
from lotus_web.web.guard.refusal_log import recorded_action
from tests.contract.callers import Caller, filled, ready_request, segment
from tests.integration.api.conftest import MakeCaller
from tests.integration.api.conftest import make_caller as make_caller
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.events import open_item
from tests.support.people import csrf_token
from tests.support.surfaces import TEXT

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_SUPPORT_APIS_ENABLED="true")
Lines = list[tuple[str, str, str, str, str]]
# The action that is stored when a form is refused. It stays when a blueprint gets another name (ADR 0018).
FORMS = {
    "accounts.add": "create_person",
    "accounts.alter": "change_person",
    "accounts_service.alter": "change_account",
    "accounts_tokens.issue": "create_token",
    "accounts_tokens.revoke": "revoke_token",
    "audit.verify": "audit_verify",
    "deliveries.resend": "deliveries_resend",
    "inbox.claim": "inbox_claim",
    "inbox.take_next": "inbox_take_next",
    "items.act": "items_act",
    "notifications.read": "notifications_read",
    "operations.again": "operations_again",
    "operations.execute": "operations_execute",
    "proposal_steps.take": "move_proposal",
    "proposals_form.check": "simulate_proposal",
    "proposals_form.send": "create_proposal",
    "proposals_json.send": "create_proposal",
    "proposals_json.send_version": "create_proposal_version",
    "proposals_version.send": "create_proposal_version",
    "replay.replay": "replay_replay",
    "retention.change": "change_legal_hold",
    "retention.change_proposal": "change_proposal_hold",
    "runs.start_review": "runs_start_review",
    "saved_views.alter": "saved_views_alter",
    "saved_views.save": "saved_views_save",
    "tenant.change": "tenant_change",
    "by_passkey.sign_in": "by_passkey_sign_in",
    "by_passkey.second": "by_passkey_second",
    "passkeys.change": "change_passkeys",
    "signing.ask": "signing_ask",
    "sign_in.sign_in": "sign_in_sign_in",
    "sign_in.sign_out": "sign_in_sign_out",
    "sla.move": "sla_move",
    "studio.start": "studio_start",
}


@pytest.fixture
def lines(app: Flask) -> Callable[[], Lines]:
    """``lines()``: who, through what, tried what, on what, and the code, of each refusal since the last time."""
    seen = [0]

    def new() -> Lines:
        with app.app_context():
            query = db.session.query(AuditRecord).filter(AuditRecord.audit_seq > seen[0])
            rows = query.order_by(AuditRecord.audit_seq).all()
            seen[0] = rows[-1].audit_seq if rows else seen[0]
            assert all(row.category == "refused" and len(row.message) <= TEXT_MAX for row in rows)
            return [(row.actor_id, row.surface, row.action, row.subject, row.code) for row in rows]

    return new


def gated(app: Flask) -> Iterator[tuple[str, str, Permission]]:
    """Yield every JSON route that writes and names its permission."""
    for rule, methods, _, declared in declared_routes(app):
        writes = methods - {"GET", "OPTIONS"}
        if writes and isinstance(declared.permission, Permission):
            yield next(iter(writes)), filled(rule), declared.permission


def test_every_json_route_that_writes_keeps_who_it_turned_away(
    app: Flask, make_caller: MakeCaller, lines: Callable[[], Lines]
) -> None:
    routes = list(gated(app))
    assert len(routes) > 15
    for method, path, permission in routes:
        caller = make_caller("pms", set(Permission) - {permission})
        answer = caller.client.open(path, method=method, json={}, headers=bearer(caller))
        assert answer.status_code == 403, path
        ((who, surface, _, subject, code),) = lines()
        assert (who, code) == ("pms", "FORBIDDEN")
        assert surface == ("rfc" if "/rebalance" in path else "api")
        assert subject == ("x" if "/x" in path else path)


@pytest.mark.stores("sqlite")
def test_the_action_that_each_form_stores_is_settled(app: Flask) -> None:
    with app.app_context():
        posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
        pages = {one for one in posts if not is_json_blueprint(one.partition(".")[0])}
        assert {one: recorded_action(one) for one in pages} == FORMS


def test_every_page_that_writes_keeps_who_it_turned_away(
    app: Flask, client_of: ClientOf, lines: Callable[[], Lines]
) -> None:
    vera, logging_refusals = client_of("vera"), 0
    token = csrf_token(vera)
    for rule in app.url_map.iter_rules():
        access = None if is_json_blueprint(rule.endpoint) else access_of(app, rule.endpoint)
        posts = "POST" in (rule.methods or ())
        if access in (None, Permission.RUNS_READ) or not isinstance(access, Permission):
            continue
        method = "POST" if posts else "GET"
        answer = vera.open(filled(rule.rule), method=method, data={"csrf_token": token} if posts else None)
        assert answer.status_code == 403, rule
        subject = "x" if "<" in rule.rule else rule.rule
        told = [("vera", "form", FORMS[rule.endpoint], subject, "FORBIDDEN")] if posts else []
        assert lines() == told, rule
        logging_refusals += posts
    assert logging_refusals > 10


def bearer(caller: Caller, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {caller.bearer}", **headers}


def test_who_speaks_in_anothers_name_leaves_one_line_on_every_surface(
    app: Flask, make_caller: MakeCaller, lines: Callable[[], Lines]
) -> None:
    workflow_id = runs.item(app)
    run_id = workflow_id.rpartition(":")[2]
    caller = make_caller("pms", set(Permission) - {Permission.ACT_ON_BEHALF})
    decision = {"action": "APPROVE", "reason_code": "OK", "actor_id": "nora"}
    asked: list[tuple[str, dict[str, Any], str, str]] = [
        (f"/workflows/{segment(workflow_id)}/actions", {"action": "approve", "reason": "ok"}, "approve", workflow_id),
        ("/workflows/next", {}, "claim", "next"),
        ("/workflow-studio/traces/corr-key-1/reviews", {}, "start_review", "corr-key-1"),
        (f"/rebalance/runs/{run_id}/workflow/actions", decision, "approve", workflow_id),
        ("/rebalance/runs/by-correlation/corr-key-1/workflow/actions", decision, "approve", workflow_id),
        ("/rebalance/runs/made-up/workflow/actions", decision, "approve", "made-up"),
        (
            f"/rebalance/runs/{run_id}/legal-hold",
            {"action": "SET", "reason": "r"},
            "change_legal_hold",
            run_id,
        ),
    ]
    for path, body, action, subject in asked:
        answer = caller.send("POST", path, json=body | {"actor_id": "nora"})
        assert answer.status_code == 403
        named = answer.json if "/rebalance" in path else answer.json["error"]["details"]
        assert (named["permission"], named["actor_id"]) == ("act_on_behalf", "nora")
        surface = "rfc" if "/rebalance" in path else "api"
        assert lines() == [("pms", surface, action, subject, "ACTOR_MISMATCH")], path
    with app.app_context():
        details = db.session.query(AuditRecord.details).first()
    assert details[0] == {"permission": "act_on_behalf", "actor_id": "nora"}


def test_what_cannot_be_taken_leaves_one_line_by_json(
    app: Flask, make_caller: MakeCaller, lines: Callable[[], Lines]
) -> None:
    workflow_id = runs.item(app)
    path = f"/workflows/{segment(workflow_id)}/actions"
    chief = make_caller("chief")
    chief.run(key="k")
    asked: list[tuple[str, dict[str, Any], int]] = [
        (path, {"action": "approve"}, 422),
        (path, {"action": "bless"}, 400),
        (path, {"action": "approve", "reason": 7}, 422),
        (path, {"action": "release"}, 409),
        (path, {"action": "override", "reason": "ok", "confirm_text": "no"}, 422),
        ("/rebalance/runs/x/workflow/actions", {"action": "APPROVE"}, 422),
        ("/events", {"event_id": 7}, 400),
        ("/rebalance/simulate", {}, 422),
    ]
    for where, body, status in asked:
        assert chief.send("POST", where, json=body).status_code == status, where
        assert len(lines()) == 1, where
    assert chief.simulate(ready_request() | {"options": {}}, key="k").status_code == 409
    assert len(lines()) == 1


@pytest.mark.environ(ENTERPRISE_ENFORCE_AUTHZ="true")
def test_what_the_enterprise_policy_denies_leaves_one_line_for_who_has_a_token(
    app: Flask, client: FlaskClient, make_caller: MakeCaller, lines: Callable[[], Lines]
) -> None:
    caller = make_caller("pms")
    assert caller.send("POST", "/events", json={}).status_code == 403
    assert lines() == [("pms", "api", "write_policy", "/api/v1/events", "authorization_policy_denied")]
    assert client.post("/api/v1/events", json={}).status_code == 403
    assert lines() == []


def test_another_tenants_door_is_written_down_at_home(
    app: Flask, make_caller: MakeCaller, lines: Callable[[], Lines]
) -> None:
    caller = make_caller("pms")
    answer = caller.send("POST", "/events", json={}, headers={"X-Tenant-Id": "zurich"})
    assert answer.status_code == 403
    with app.app_context():
        (row,) = db.session.query(AuditRecord)
        assert (row.tenant_id, row.actor_id, row.details) == ("default", "pms", {"tenant_id": "zurich"})


def test_what_cannot_be_taken_leaves_one_line_by_form(
    app: Flask, client_of: ClientOf, lines: Callable[[], Lines]
) -> None:
    ada, workflow_id = client_of("ada"), runs.item(app)
    run_id, item = workflow_id.rpartition(":")[2], f"/inbox/{segment(workflow_id)}"
    asked: list[tuple[str, dict[str, str], int]] = [
        (item, {"action": "approve", "version": "1", "text": TEXT}, 422),
        (item, {"action": "destroy"}, 422),
        (item, {"action": "release", "version": "1"}, 409),
        (item, {"action": "comment", "version": "7", "text": TEXT}, 409),
        ("/inbox", {"claim": "no such row"}, 422),
        ("/inbox", {"claim": f"7:{workflow_id}"}, 409),
        ("/inbox/views", {"name": ""}, 422),
        ("/sla", {}, 422),
        ("/sla", {"item": workflow_id, "seen": f"7:{workflow_id}", "to": "role:manager"}, 409),
        ("/admin", {"name": "x", "password": "hunter2", "role": "viewer"}, 422),
        ("/admin", {"name": "x", "password": "hunter2 hunter2", "role": "king"}, 422),
        ("/admin/people/ada", {"change": "disable"}, 409),
        ("/admin/people/ada", {"change": "crown"}, 422),
        ("/admin/tokens", {"account": "x"}, 422),
        ("/admin/accounts/x", {"change": "crown"}, 422),
        (f"/runs/{run_id}/legal-hold", {"action": "set", "reason": ""}, 422),
        (f"/runs/{run_id}/legal-hold", {"action": "lift", "reason": "over"}, 409),
        ("/studio/corr-key-1", {"to": "role:butler"}, 422),
    ]
    token = csrf_token(ada)
    for path, fields, status in asked:
        answer = ada.post(path, data={"csrf_token": token} | fields)
        assert answer.status_code == status, (path, answer.text)
        found = lines()
        assert [(who, surface) for who, surface, *_ in found] == [("ada", "form")], (path, fields, found)
    with app.app_context():
        kept = db.session.query(AuditRecord).all()
        assert not [row for row in kept if "hunter2" in f"{row.message}{row.details}{row.subject}"]


def test_nobody_known_nothing_there_and_nothing_refused_leave_no_line(
    app: Flask, make_caller: MakeCaller, client_of: ClientOf, client: FlaskClient, lines: Callable[[], Lines]
) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    chief, vera = make_caller("chief"), client_of("vera")
    unknown = {"Authorization": "Bearer lw_tok0000000000000000_" + "x" * 43}
    for headers in ({}, unknown):
        assert client.post("/api/v1/events", json={}, headers=headers).status_code == 401
    assert client.post("/admin", data={"csrf_token": csrf_token(client)}).status_code == 401
    assert client.get("/inbox/x/export.json").status_code == 303
    missing = {"action": "approve", "reason": "ok"}
    assert chief.send("POST", "/workflows/no%3Aexception%3Asuch/actions", json=missing).status_code == 404
    nothing = make_caller("rob", [Permission.EVENTS_WRITE])
    assert nothing.get(f"/workflows/{segment(workflow_id)}").status_code == 403
    assert vera.get("/admin").status_code == 403
    assert chief.send("POST", f"/workflows/{segment(workflow_id)}/actions", json=missing).status_code == 200
    assert lines() == []
