"""What a write must pass before it is routed: its size, then the enterprise policy; the token is asked for all the same."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from flask import Flask

from lotus_web.api.endpoint.routing import declared_routes
from tests.contract.callers import Caller, ready_request
from tests.support.people import hire, sign_in

SIMULATE = "/rebalance/simulate"
NAMED = {"X-Actor-Id": "ada", "X-Tenant-Id": "default", "X-Role": "advisor", "X-Correlation-Id": "c"}
IDENTIFIED = NAMED | {"X-Service-Identity": "gateway"}
ENFORCED = pytest.mark.environ(
    ENTERPRISE_ENFORCE_AUTHZ="true", ENTERPRISE_CAPABILITY_RULES_JSON='{"POST /rebalance/simulate": "simulate"}'
)
CAPABLE = IDENTIFIED | {"X-Capabilities": "analyze, simulate", "Idempotency-Key": "k"}


def switch(app: Flask, **settings: str) -> None:
    app.extensions["lotus_settings"].environ.update(settings)


def ask(app: Flask, path: str, headers: dict[str, str], method: str = "POST", **options: Any) -> tuple[int, Any]:
    answer = app.test_client().open(path, method=method, headers=headers, **options)
    assert answer.headers["X-Correlation-Id"]
    return answer.status_code, answer.json


def denied(reason: str) -> tuple[int, dict[str, str]]:
    return 403, {"detail": "authorization_policy_denied", "reason": reason}


@ENFORCED
@pytest.mark.parametrize("mount", ["", "/api/v1"])
def test_a_write_says_who_where_as_what_from_which_service_and_with_which_capability(
    app: Flask, engine: Caller, mount: str
) -> None:
    bearer = {"Authorization": f"Bearer {engine.bearer}"}
    path, body = f"{mount}{SIMULATE}", {"json": ready_request()}
    everything = denied("missing_headers:x-actor-id,x-correlation-id,x-role,x-tenant-id")
    assert ask(app, path, {}, **body) == everything
    assert ask(app, path, bearer, **body) == everything
    assert ask(app, path, NAMED, **body) == denied("missing_service_identity")
    assert ask(app, path, NAMED | bearer, **body) == denied("missing_capability:simulate")
    assert ask(app, path, IDENTIFIED | bearer, **body) == denied("missing_capability:simulate")
    assert ask(app, path, CAPABLE, **body)[0] == 401
    assert ask(app, path, CAPABLE | {"Authorization": "Bearer nobody"}, **body)[0] == 401
    assert ask(app, path, CAPABLE | bearer | {"X-Tenant-Id": "north"}, **body)[0] == 403
    assert ask(app, path, CAPABLE | bearer, **body)[0] == 200
    assert ask(app, f"{mount}/rebalance/%73imulate", IDENTIFIED, **body) == denied("missing_capability:simulate")


@ENFORCED
@pytest.mark.stores("sqlite")
def test_every_json_write_is_looked_at_and_no_read_is(app: Flask) -> None:
    wrong = []
    for rule, methods, _, _ in declared_routes(app):
        for method in methods:
            answer = app.test_client().open(re.sub(r"<[^>]+>", "x", rule), method=method)
            looked_at = answer.status_code == 403 and '"missing_headers:x-actor-id,' in answer.text
            if looked_at is (method == "GET") or (method == "GET" and answer.status_code == 403):
                wrong.append((method, rule, answer.status_code))
    assert wrong == []


@ENFORCED
def test_the_control_planes_routes_say_it_in_their_own_shape(app: Flask) -> None:
    status, body = ask(app, "/api/v1/events", NAMED, json={})
    assert (status, body["error"]["code"]) == (403, "authorization_policy_denied")
    assert body["error"]["details"] == {"reason": "missing_service_identity"}


@ENFORCED
def test_the_size_goes_first_then_the_policy_then_whether_there_is_such_a_route(app: Flask, engine: Caller) -> None:
    switch(app, ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES="1000")
    large = {"data": b" " * 1001}
    for path, method, status in (("/rebalance/nothing", "POST", 404), ("/rebalance/runs", "DELETE", 405)):
        assert ask(app, path, {}, method, **large) == (413, {"detail": "payload_too_large"})
        assert ask(app, path, NAMED, method) == denied("missing_service_identity")
        assert ask(app, path, IDENTIFIED, method)[0] == status


def test_it_is_off_unless_it_is_switched_on_and_read_for_each_request(app: Flask, engine: Caller) -> None:
    assert engine.simulate().status_code == 200
    switch(app, ENTERPRISE_ENFORCE_AUTHZ="true")
    assert engine.simulate().json == denied("missing_headers:x-actor-id,x-correlation-id,x-role,x-tenant-id")[1]
    assert engine.simulate(**IDENTIFIED).status_code == 200
    switch(app, ENTERPRISE_CAPABILITY_RULES_JSON='{"POST /api/v1/rebalance": "w"}')
    assert engine.simulate(**IDENTIFIED).json == denied("missing_capability:w")[1]
    switch(app, ENTERPRISE_ENFORCE_AUTHZ="")
    assert engine.simulate().status_code == 200


@ENFORCED
@pytest.mark.stores("sqlite")
def test_forms_of_people_are_no_writes_of_programs(app: Flask) -> None:
    hire(app, "nora")
    assert sign_in(app.test_client(), "nora").status_code == 303


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("chunked", [False, True])
def test_how_long_a_body_may_be_is_read_for_each_request(app: Flask, engine: Caller, chunked: bool) -> None:
    raw = json.dumps(ready_request()).encode()

    def post() -> int:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        if not chunked:
            return engine.send("POST", SIMULATE, data=raw, headers=headers).status_code
        environ = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        return engine.send("POST", SIMULATE, headers=headers, environ_overrides=environ).status_code

    for longest, status in ((len(raw), 200), (len(raw) - 1, 413), (3 * 1024 * 1024, 200)):
        switch(app, ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES=str(longest))
        assert post() == status
    raw += b" " * (2 * 1024 * 1024)
    assert post() == 200


@pytest.mark.stores("sqlite")
def test_a_form_is_bounded_by_the_same_setting(app: Flask) -> None:
    switch(app, ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES="2000")
    answer = app.test_client().post("/login", data={"name": "n" * 2001})
    assert answer.status_code == 413
    assert "A form may contain at most 2,000 bytes." in answer.text


@pytest.mark.stores("sqlite")
def test_the_policys_version_is_on_every_answer_as_it_is_now(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/health/live").headers["X-Enterprise-Policy-Version"] == "1.0.0"
    switch(app, ENTERPRISE_POLICY_VERSION="2026-03 ü")
    for answer in (client.get("/rebalance/runs"), client.post("/rebalance/nothing"), client.get("/login")):
        assert answer.headers["X-Enterprise-Policy-Version"].encode("latin-1").decode() == "2026-03 ü"
