"""Who may call: every route asks for a token, its permission and its tenant (deltas 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lotus_web.api.endpoint.routing import declared_routes
from lotus_web.domain.access import Permission
from lotus_web.services.accounts.tokens import create_token, revoke_token
from lotus_web.store.session import transaction
from tests.contract.callers import Caller, bearer_of, review_request
from tests.contract.conftest import MakeCaller

SWITCHES = (
    "DPM_WORKFLOW_ENABLED",
    "DPM_LINEAGE_APIS_ENABLED",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED",
)
ROUTE_PERMISSIONS = {
    "POST /rebalance/simulate": "runs_write",
    "GET /rebalance/runs": "runs_read",
    "GET /rebalance/runs/<>": "runs_read",
    "GET /rebalance/runs/by-correlation/<>": "runs_read",
    "GET /rebalance/runs/by-request-hash/<>": "runs_read",
    "GET /rebalance/runs/idempotency/<>": "runs_read",
    "GET /rebalance/runs/<>/artifact": "runs_read",
    "GET /rebalance/runs/<>/workflow": "runs_read",
    "GET /rebalance/runs/by-correlation/<>/workflow": "runs_read",
    "GET /rebalance/runs/idempotency/<>/workflow": "runs_read",
    "GET /rebalance/runs/<>/workflow/history": "runs_read",
    "GET /rebalance/runs/by-correlation/<>/workflow/history": "runs_read",
    "GET /rebalance/runs/idempotency/<>/workflow/history": "runs_read",
    "POST /rebalance/runs/<>/workflow/actions": "workflow_review",
    "POST /rebalance/runs/by-correlation/<>/workflow/actions": "workflow_review",
    "POST /rebalance/runs/idempotency/<>/workflow/actions": "workflow_review",
    "GET /rebalance/workflow/decisions": "runs_read",
    "GET /rebalance/workflow/decisions/by-correlation/<>": "runs_read",
}
CALLS = [tuple(route.replace("<>", "x").split()) for route in ROUTE_PERMISSIONS]


@pytest.mark.stores("sqlite")
def test_each_run_and_gate_route_asks_for_its_permission_under_both_mounts(app: Flask) -> None:
    import re

    declared = {}
    for pattern, methods, _, endpoint in declared_routes(app):
        for method in methods:
            path = re.sub(r"<[^>]+>", "<>", pattern)
            declared[f"{method} {path}"] = endpoint.permission and endpoint.permission.value
    expected = ROUTE_PERMISSIONS | {
        route.replace(" ", " /api/v1"): permission for route, permission in ROUTE_PERMISSIONS.items()
    }
    assert {route: declared.get(route) for route in expected} == expected


@pytest.mark.stores("sqlite")
def test_only_health_and_what_describes_the_interface_are_public(app: Flask) -> None:
    public = {pattern for pattern, _, _, endpoint in declared_routes(app) if endpoint.permission is None}
    assert {"/health", "/health/live", "/health/ready"} <= public
    assert not {path for path in public if path.startswith("/rebalance")}


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_route_asks_who_is_there_before_anything_else(
    app: Flask, engine: Caller, make_caller: MakeCaller, method: str, path: str
) -> None:
    answer = app.test_client().open(path, method=method)
    assert (answer.status_code, answer.json) == (401, {"detail": "UNAUTHENTICATED"})
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    powerless = make_caller("powerless", (Permission.EVENTS_WRITE,))
    refused = powerless.send(method, path)
    needed = ROUTE_PERMISSIONS[f"{method} {path.replace('/x', '/<>')}"]
    assert (refused.status_code, refused.json) == (403, {"detail": "FORBIDDEN", "permission": needed})


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer lw_tok0123456789abcdef_" + "x" * 43, "Bearer ü"],
)
def test_a_token_that_is_not_one(engine: Caller, header: str) -> None:
    answer = engine.get("/rebalance/runs", headers={"Authorization": header.format(engine.bearer)})
    assert (answer.status_code, answer.json) == (401, {"detail": "UNAUTHENTICATED"})


def test_the_scheme_may_be_written_in_any_case(engine: Caller) -> None:
    answer = engine.get("/rebalance/runs", headers={"Authorization": f"bEARER {engine.bearer}"})
    assert answer.status_code == 200


def test_a_token_ends_when_it_expires_or_is_revoked(app: Flask, engine: Caller) -> None:
    now = datetime.now(UTC)
    with app.app_context(), transaction() as session:
        made = now - timedelta(days=2)
        expired = create_token(
            session,
            account="lapsed",
            tenant_id="default",
            permissions=[Permission.RUNS_READ],
            expires_at=now - timedelta(days=1),
            now=made,
        )
        revoke_token(session, token_id=engine.bearer.split("_")[1], now=now)
    assert engine.get("/rebalance/runs").status_code == 401
    engine.bearer = expired.secret_text
    assert engine.get("/rebalance/runs").status_code == 401


def test_a_token_is_for_its_tenants_only(make_caller: MakeCaller) -> None:
    alpine = make_caller("alpine-feed", tenant="alpine")
    assert alpine.get("/rebalance/runs").status_code == 200
    elsewhere = alpine.get("/rebalance/runs", headers={"X-Tenant-Id": "default"})
    assert (elsewhere.status_code, elsewhere.json) == (403, {"detail": "FORBIDDEN", "tenant_id": "default"})
    alpine.tenant = None
    assert alpine.get("/rebalance/runs").status_code == 403


def test_a_switched_off_feature_is_told_only_to_who_may_use_it(app: Flask, engine: Caller) -> None:
    path = "/rebalance/runs/x/workflow"
    assert app.test_client().get(path).status_code == 401
    assert engine.get(path).json == {"detail": "DPM_WORKFLOW_DISABLED"}


@pytest.mark.environ(LOTUS_API_AUTH="disabled", DPM_WORKFLOW_ENABLED="true")
def test_without_authentication_everyone_is_anonymous_and_may_name_the_decider(app: Flask) -> None:
    caller = Caller(app.test_client(), "anonymous", bearer="")
    run = caller.run(review_request())
    decided = caller.decide(run["rebalance_run_id"], actor="reviewer_001")
    assert decided.json["latest_decision"]["actor_id"] == "reviewer_001"


@pytest.mark.environ(LOTUS_API_AUTH="disabled")
@pytest.mark.parametrize("tenant", ["alpine", "x" * 200])
def test_without_authentication_another_tenant_is_refused_as_to_a_token_that_does_not_name_it(
    app: Flask, make_app: Callable[..., Flask], tenant: str
) -> None:
    guarded = make_app(LOTUS_API_AUTH="required")
    bearer = bearer_of(guarded, "engine-feed", tuple(Permission), "default")
    told = [
        Caller(app.test_client(), "anonymous", bearer="", tenant=tenant),
        Caller(guarded.test_client(), "engine-feed", bearer, tenant=tenant),
    ]
    for method, path in (("GET", "/rebalance/runs"), ("POST", "/rebalance/simulate"), ("GET", "/workflows")):
        anonymous, known = (caller.send(method, path) for caller in told)
        assert (anonymous.status_code, known.status_code) == (403, 403)
        if path.startswith("/rebalance"):
            assert anonymous.json == known.json == {"detail": "FORBIDDEN", "tenant_id": tenant}
        else:
            refused = anonymous.json["error"]
            assert (refused["message"], refused["details"]) == (
                known.json["error"]["message"],
                known.json["error"]["details"],
            )
