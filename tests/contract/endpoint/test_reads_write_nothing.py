"""Reads leave the store as it is, to the byte (delta 15), refused ones too; refused writes leave no more than that they were tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lotus_web.api.endpoint.routing import declared_routes
from lotus_web.domain.access import Permission
from lotus_web.store.session import transaction
from lotus_web.web.guard.access import access_of, is_json_blueprint
from tests.contract.callers import Caller, filled, ready_request, review_request
from tests.contract.conftest import Count, MakeCaller, written
from tests.support.digests import content_of
from tests.support.people import hire, sign_in

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_ARTIFACT_STORE_MODE="PERSISTED")

DECISION = {"action": "APPROVE", "reason_code": "OK", "actor_id": "engine-feed"}


@pytest.fixture
def run_id(engine: Caller, make_caller: MakeCaller) -> str:
    """A run that was approved."""
    found: str = engine.run(review_request(), key="k", correlation="c")["rebalance_run_id"]
    assert make_caller("rosa").decide(found).status_code == 200
    return found


@pytest.fixture
def content(app: Flask, store_url: str) -> Callable[[], str]:
    """``content()``: a digest of everything in the store."""
    return lambda: content_of(app, store_url)


def reads(run_id: str) -> list[str]:
    named = (run_id, "by-correlation/c", "idempotency/k", "nobody", "by-correlation/nobody", "idempotency/nobody")
    return [
        "/rebalance/runs",
        "/rebalance/runs?limit=0",
        "/rebalance/runs?cursor=x",
        f"/rebalance/runs/{run_id}/artifact",
        "/rebalance/workflow/decisions",
        "/rebalance/workflow/decisions/by-correlation/c",
        *(f"/rebalance/runs/{name}{part}" for name in named for part in ("", "/workflow", "/workflow/history")),
    ]


def test_reads_leave_the_store_as_it_is(engine: Caller, run_id: str, content: Callable[[], str]) -> None:
    before = content()
    for path in reads(run_id):
        assert engine.get(path).status_code in (200, 404, 422)
    assert content() == before


def test_reads_leave_every_table_as_it_is(engine: Caller, run_id: str, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    for path in reads(run_id):
        engine.get(path)
    assert count_rows() == before


def test_refused_writes_leave_a_line_each_where_someone_is_known_and_something_is_there(
    engine: Caller, reviewer: Caller, run_id: str, count_rows: Callable[[], Count]
) -> None:
    before = count_rows()
    actions = f"/rebalance/runs/{run_id}/workflow/actions"
    refused = [
        engine.send("POST", "/rebalance/simulate", json=ready_request()),
        engine.send("POST", "/rebalance/simulate", data=b"{", headers={"Idempotency-Key": "new"}),
        engine.simulate({}, key="new"),
        engine.simulate(ready_request(), key="k"),
        reviewer.simulate(),
        engine.send("POST", "/rebalance/simulate", data=b" " * 2_000_000),
        engine.send("POST", actions, json={}),
        reviewer.send("POST", actions, json=DECISION),
        engine.send("POST", "/rebalance/runs/nobody/workflow/actions", json=DECISION),
        engine.send("POST", actions, json=DECISION, headers={"Authorization": "Bearer nobody"}),
        engine.send("POST", actions, json=DECISION, headers={"X-Tenant-Id": "alpine"}),
        engine.send("DELETE", "/rebalance/runs"),
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 422, 409, 403, 413, 422, 403, 404, 401, 403, 405]
    assert written(before, count_rows()) == {"dg_audit_records": len(refused) - len([413, 404, 401, 405])}


def test_the_digest_sees_a_write(engine: Caller, run_id: str, content: Callable[[], str]) -> None:
    before = content()
    engine.run()
    assert content() != before


def routes_that_read(app: Flask) -> Iterator[tuple[str, Permission]]:
    """Yield the address of every JSON route that is read and names a permission, and the permission."""
    for rule, methods, _, declared in declared_routes(app):
        if "GET" in methods and isinstance(declared.permission, Permission):
            yield filled(rule), declared.permission


def pages(app: Flask) -> Iterator[tuple[str, object]]:
    """Yield the address of every page that can be looked at, and who may."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not is_json_blueprint(rule.endpoint):
            yield filled(rule.rule), access_of(app, rule.endpoint)


def signed_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, hire(app, name)).status_code == 303
    return client


@pytest.mark.environ(LOTUS_METRICS_ACCESS="token", DPM_SUPPORT_APIS_ENABLED="true")
def test_a_route_that_is_refused_to_who_looks_writes_nothing(
    app: Flask, make_caller: MakeCaller, content: Callable[[], str]
) -> None:
    routes = list(routes_that_read(app))
    without = {one: make_caller(f"without-{one}", set(Permission) - {one}) for one in {may for _, may in routes}}
    everything, expired = make_caller("pms"), make_caller("was-here-once")
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE api_tokens SET expires_at = created_at WHERE account = 'was-here-once'"))
    before, client = content(), app.test_client()
    for path, permission in routes:
        asked = (
            ({"Authorization": f"Bearer {without[permission].bearer}"}, 403),
            ({"Authorization": f"Bearer {everything.bearer}", "X-Tenant-Id": "zurich"}, 403),
            ({"Authorization": f"Bearer {expired.bearer}"}, 401),
            ({"Authorization": "Bearer nobody"}, 401),
            ({}, 401),
        )
        for headers, status in asked:
            for method in ("GET", "HEAD"):
                assert client.open(path, method=method, headers=headers).status_code == status, (path, headers)
    assert len(routes) > 30
    assert content() == before


def test_a_page_that_is_refused_to_who_looks_writes_nothing(app: Flask, content: Callable[[], str]) -> None:
    vera, gone = signed_in(app, "vera"), signed_in(app, "nora")
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE person_sessions SET expires_at = created_at WHERE name = 'nora'"))
    before, refused = content(), 0
    for path, access in pages(app):
        for headers in ({}, {"HX-Request": "true"}):
            answer = vera.get(path, headers=headers)
            assert answer.status_code < 500, path
            refused += answer.status_code == 403
            for client in (gone, app.test_client()):
                assert client.get(path, headers=headers).status_code < 500
        assert (answer.status_code == 403) is (access in set(Permission) - {Permission.RUNS_READ}), path
    assert refused > 15
    assert content() == before


@pytest.mark.environ(LOTUS_LOG_FORMAT="json")
def test_what_is_refused_to_who_looks_is_a_line_of_the_log(
    app: Flask, make_caller: MakeCaller, capsys: pytest.CaptureFixture[str]
) -> None:
    vera = signed_in(app, "vera")
    pms = make_caller("pms", set(Permission) - {Permission.WORKFLOW_EXPORT})
    capsys.readouterr()
    assert vera.get("/audit.csv").status_code == 403
    assert pms.get("/admin/workflows/x/export").status_code == 403
    assert pms.get("/rebalance/runs", headers={"X-Tenant-Id": "zurich"}).status_code == 403
    assert pms.get("/rebalance/runs/nobody").status_code == 404
    found: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [line for line in found if line["event"] == "look_refused"]
    facts = ("account", "tenant", "surface", "route", "code")
    assert [tuple(line[fact] for fact in facts) for line in told] == [
        ("vera", "default", "form", "/audit.csv", "FORBIDDEN"),
        ("pms", "default", "api", "/api/v1/admin/workflows/<ident:workflow_id>/export", "FORBIDDEN"),
        ("pms", "default", "rfc", "/api/v1/rebalance/runs", "FORBIDDEN"),
    ]
    assert [line["details"] for line in told] == [
        {"permission": "workflow_export"},
        {"permission": "workflow_export"},
        {"tenant_id": "zurich"},
    ]
