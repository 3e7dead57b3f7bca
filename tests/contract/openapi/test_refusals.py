"""Every refusal is one that the document describes, and the description leaves no room for another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from lotus_web.api.endpoint.error_bodies import ErrorBody
from lotus_web.api.endpoint.refusals import Envelope
from lotus_web.api.openapi.bodies import EVENT
from lotus_web.api.v1.envelope import V1Envelope
from lotus_web.domain.access import Permission
from tests.contract.callers import ALL, review_request
from tests.contract.endpoint.test_route_matrix import Cell, World, cells, make_world
from tests.contract.openapi.schemas import Schemas

pytestmark = [
    pytest.mark.stores("sqlite"),
    pytest.mark.environ(
        DPM_WORKFLOW_ENABLED="true",
        DPM_LINEAGE_APIS_ENABLED="true",
        DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
        LOTUS_METRICS_ACCESS="token",
    ),
]
DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS = Schemas(DOCUMENT)
NOBODY = "lw_not-a-token"


@pytest.fixture
def world(app: Flask) -> World:
    return make_world(app)


def described(rule: str, method: str, answer: TestResponse) -> dict[str, Any]:
    """Return the schema of an answer; fails where its status or its media type is not described."""
    path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)
    found = DOCUMENT["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    if "$ref" in found:
        found = DOCUMENT["components"]["responses"][found["$ref"].rpartition("/")[2]]
    schema: dict[str, Any] = found["content"][answer.mimetype]["schema"]
    return schema


def distortions(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a refusal with each fault that a tight description must tell: a member more or less, another code or kind."""
    yield "one more member", document | {"surprise": 1}
    always = ("detail", "error", "request_id", "type", "title", "status", "instance", "correlation_id")
    for name in [name for name in always if name in document]:
        yield f"without {name}", {key: value for key, value in document.items() if key != name}
        yield f"{name} of another kind", document | {name: 7.5}
    for name in [name for name in document if name not in always]:
        yield f"{name} of another kind", document | {name: 7.5}
    if isinstance(document.get("detail"), str) and "status" not in document:
        yield "another code", document | {"detail": "SOMETHING_ELSE"}
    for problem in document["detail"] if isinstance(document.get("detail"), list) else ():
        for name in ("type", "loc", "msg", "input"):
            yield (
                f"a problem without {name}",
                {"detail": [{key: value for key, value in problem.items() if key != name}]},
            )
    if "error" in document:
        for name in ("code", "message", "details"):
            less = deepcopy(document)
            del less["error"][name]
            yield f"error without {name}", less
        yield "one more member of error", document | {"error": document["error"] | {"surprise": 1}}
        yield "another code", document | {"error": document["error"] | {"code": "something_else"}}
        yield "problems of another kind", document | {"error": document["error"] | {"details": {"problems": [{}]}}}


def faults(rule: str, method: str, answer: TestResponse) -> list[str]:
    """Return what the document gets wrong about a refusal."""
    schema, document = described(rule, method, answer), json.loads(answer.data)
    wrong = [] if SCHEMAS.fits(schema, document) else [f"does not describe {document}"]
    return wrong + [f"takes {what}" for what, changed in distortions(document) if SCHEMAS.fits(schema, changed)]


def post(world: World, path: str, bearer: str, body: object, **headers: str) -> TestResponse:
    sent = {"Authorization": f"Bearer {bearer}", **headers}
    return world.app.test_client().post(path, json=body, headers=sent)


def asked(world: World, cell: Cell) -> Iterator[TestResponse]:
    """Yield a route's answers to every kind of caller and to requests that are wrong."""
    everything = world.bearer(*ALL)
    yield world.ask(cell, None)
    yield world.ask(cell, NOBODY, body=True)
    if isinstance(cell.permission, Permission):
        yield world.ask(cell, world.bearer(*(frozenset(Permission) - {cell.permission})), body=True)
    yield world.ask(cell, world.bearer(*ALL, tenant="north"), body=True, **{"X-Tenant-Id": "default"})
    yield world.ask(cell, world.bearer(*ALL, tenant="north"), body=True, **{"X-Tenant-Id": "north"})
    yield world.ask(cell, everything, body=True, **{"X-Correlation-Id": "a\x7fb"})
    if cell.body is not None:
        yield world.ask(cell, everything)
        yield world.ask(Cell(cell.name, cell.method, cell.rule, cell.permission, {}), everything, body=True)
        yield world.ask(Cell(cell.name, cell.method, cell.rule, cell.permission, [{"a": {}}]), everything, body=True)
        huge = Cell(cell.name, cell.method, cell.rule, cell.permission, {"a": " " * 1024 * 1024})
        yield world.ask(huge, everything, body=True)
        yield world.ask(cell, everything, body=True)
        yield world.ask(cell, everything, body=True)


def test_every_route_refuses_as_the_document_says_and_no_other_way(world: World) -> None:
    """The refusals of the whole matrix: each fits its description, and no distortion of it does."""
    seen: dict[int, int] = {}
    wrong = []
    for cell in cells(world.app):
        for answer in asked(world, cell):
            if answer.status_code >= 400:
                seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
                place = f"{cell.method} {cell.rule} {answer.status_code}"
                wrong += [f"{place} {fault}" for fault in faults(cell.rule, cell.method, answer)]
    assert wrong == []
    assert set(seen) == {400, 401, 403, 404, 409, 413, 422}


@pytest.mark.environ(ENTERPRISE_ENFORCE_AUTHZ="true")
def test_the_enterprise_policy_refuses_as_the_document_says(app: Flask) -> None:
    world = World(app, dict.fromkeys(("rebalance_run_id", "correlation_id", "idempotency_key", "operation_id"), "x"))
    world.ids |= dict.fromkeys(("workflow_id", "trace_id", "notification_id", "request_hash", "entity_id"), "x")
    world.ids |= {"proposal_id": "x", "version_no": "1"}
    writes = [cell for cell in cells(app) if cell.method == "POST"]
    answers = [(cell, world.ask(cell, NOBODY, body=True)) for cell in writes]
    assert {answer.status_code for _, answer in answers} == {403}
    assert [fault for cell, answer in answers for fault in faults(cell.rule, cell.method, answer)] == []


def test_deciding_on_one_s_own_run_or_as_another_is_refused_as_the_document_says(world: World) -> None:
    own, speechless = world.bearer(*ALL), world.bearer(*(frozenset(ALL) - {Permission.ACT_ON_BEHALF}))
    run = post(world, "/rebalance/simulate", own, review_request(), **{"Idempotency-Key": "own"}).get_json()
    item = f"{run['correlation_id']}:exception:{run['rebalance_run_id']}"
    decision = {"action": "APPROVE", "reason_code": "REVIEW_APPROVED", "actor_id": "account-0"}
    approval = {"action": "approve", "reason": "mine", "reason_code": "REVIEW_APPROVED"}
    rfc, v1 = (
        "/rebalance/runs/<ident:rebalance_run_id>/workflow/actions",
        "/api/v1/workflows/<ident:workflow_id>/actions",
    )
    for rule, bearer, body, code in (
        (rfc, own, decision, "FOUR_EYES"),
        (f"/api/v1{rfc}", own, decision, "FOUR_EYES"),
        (rfc, speechless, decision, "ACTOR_MISMATCH"),
        (f"/api/v1{rfc}", speechless, decision, "ACTOR_MISMATCH"),
        (v1, own, approval, "four_eyes"),
    ):
        path = re.sub("<.*>", run["rebalance_run_id"] if rule != v1 else item, rule)
        answer = post(world, path, bearer, body)
        assert (answer.status_code, code in answer.text) == (403, True)
        assert faults(rule, "POST", answer) == []


def test_a_number_out_of_turn_is_refused_as_the_document_says(world: World) -> None:
    answer = post(world, "/api/v1/events", world.bearer(*ALL), EVENT | {"trace_seq": 7})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "trace_seq_conflict")
    assert faults("/api/v1/events", "POST", answer) == []


@pytest.mark.parametrize(
    ("cause", "status"),
    [(RuntimeError("a secret"), 500), (OperationalError("SELECT", {}, Exception("gone")), 503)],
)
@pytest.mark.parametrize("rule", ["/rebalance/runs", "/api/v1/rebalance/runs", "/api/v1/workflows"])
def test_faults_answer_as_the_document_says(
    world: World, monkeypatch: pytest.MonkeyPatch, rule: str, cause: Exception, status: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cause

    bearer = {"Authorization": f"Bearer {world.bearer(*ALL)}"}
    monkeypatch.setattr("lotus_web.api.endpoint.routing.read_inputs", fail)
    answer = world.app.test_client().get(rule, headers=bearer)
    assert answer.status_code == status
    assert faults(rule, "GET", answer) == []


@pytest.mark.parametrize("model", [*Envelope.errors, *V1Envelope.errors])
def test_every_model_of_a_refusal_is_described_whole(model: type[ErrorBody]) -> None:
    schema = DOCUMENT["components"]["schemas"][model.__name__]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(model.model_fields)
