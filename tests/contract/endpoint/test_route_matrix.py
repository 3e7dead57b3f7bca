"""Every JSON route against every kind of caller, as the routes are: one that nobody classified fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lotus_web.api.endpoint.routing import AnyToken, declared_routes
from lotus_web.api.openapi.bodies import ADVISER, ANALYZE, CREATE_PROPOSAL, REVIEWER
from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role, permissions_of
from lotus_web.domain.items.actions import ACTIONS, OFFERED
from lotus_web.models import EventLogEntry
from lotus_web.services.accounts.people import give_role
from lotus_web.store.session import db, transaction
from lotus_web.web.guard.access import access_of
from tests.contract.callers import ALL, Caller, bearer_of, review_request, segment
from tests.support.logs import sign_with_a_new_key
from tests.support.people import hire

pytestmark = pytest.mark.environ(
    DPM_WORKFLOW_ENABLED="true",
    DPM_LINEAGE_APIS_ENABLED="true",
    DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
    LOTUS_METRICS_ACCESS="token",
)

READ, WRITE = Permission.RUNS_READ, Permission.RUNS_WRITE
REVIEW, ADMIN = Permission.WORKFLOW_REVIEW, Permission.ADMIN
ANY = AnyToken.ANY
# Who may call what. A rebalance route stands here once for both of its addresses.
EXPECTED: dict[str, Permission | AnyToken | None] = {
    "GET /health": None,
    "GET /health/live": None,
    "GET /health/ready": None,
    "GET /openapi.json": None,
    "GET /metrics": READ,
    "POST /rebalance/simulate": WRITE,
    "POST /rebalance/proposals/simulate": Permission.PROPOSALS_WRITE,
    "POST /rebalance/proposals/artifact": Permission.PROPOSALS_WRITE,
    "POST /rebalance/proposals": Permission.PROPOSALS_WRITE,
    "GET /rebalance/proposals": READ,
    "GET /rebalance/proposals/{proposal_id}": READ,
    "POST /rebalance/proposals/{proposal_id}/versions": Permission.PROPOSALS_WRITE,
    "GET /rebalance/proposals/{proposal_id}/versions": READ,
    "GET /rebalance/proposals/{proposal_id}/versions/{version_no}": READ,
    "POST /rebalance/proposals/{proposal_id}/transitions": ANY,
    "POST /rebalance/proposals/{proposal_id}/approvals": ANY,
    "GET /rebalance/proposals/{proposal_id}/workflow-events": READ,
    "GET /rebalance/proposals/{proposal_id}/approvals": READ,
    "GET /rebalance/proposals/{proposal_id}/lineage": READ,
    "GET /rebalance/proposals/idempotency/{idempotency_key}": READ,
    "GET /rebalance/proposals/supportability/config": READ,
    "POST /rebalance/proposals/async": Permission.PROPOSALS_WRITE,
    "POST /rebalance/proposals/{proposal_id}/versions/async": Permission.PROPOSALS_WRITE,
    "GET /rebalance/proposals/operations/{operation_id}": READ,
    "GET /rebalance/proposals/operations/by-correlation/{correlation_id}": READ,
    "POST /rebalance/analyze": WRITE,
    "POST /rebalance/analyze/async": WRITE,
    "GET /rebalance/operations": READ,
    "GET /rebalance/operations/{operation_id}": READ,
    "GET /rebalance/operations/by-correlation/{correlation_id}": READ,
    "POST /rebalance/operations/{operation_id}/execute": Permission.OPERATIONS_EXECUTE,
    "GET /rebalance/runs": READ,
    "GET /rebalance/runs/{rebalance_run_id}": READ,
    "GET /rebalance/runs/by-correlation/{correlation_id}": READ,
    "GET /rebalance/runs/by-request-hash/{request_hash}": READ,
    "GET /rebalance/runs/idempotency/{idempotency_key}": READ,
    "GET /rebalance/runs/{rebalance_run_id}/artifact": READ,
    "POST /rebalance/runs/{rebalance_run_id}/replay": WRITE,
    "GET /rebalance/runs/{rebalance_run_id}/legal-hold": READ,
    "POST /rebalance/runs/{rebalance_run_id}/legal-hold": ADMIN,
    "GET /rebalance/proposals/{proposal_id}/legal-hold": READ,
    "POST /rebalance/proposals/{proposal_id}/legal-hold": ADMIN,
    "GET /rebalance/runs/{rebalance_run_id}/support-bundle": READ,
    "GET /rebalance/runs/by-correlation/{correlation_id}/support-bundle": READ,
    "GET /rebalance/runs/idempotency/{idempotency_key}/support-bundle": READ,
    "GET /rebalance/runs/by-operation/{operation_id}/support-bundle": READ,
    "GET /rebalance/runs/{rebalance_run_id}/workflow": READ,
    "GET /rebalance/runs/by-correlation/{correlation_id}/workflow": READ,
    "GET /rebalance/runs/idempotency/{idempotency_key}/workflow": READ,
    "GET /rebalance/runs/{rebalance_run_id}/workflow/history": READ,
    "GET /rebalance/runs/by-correlation/{correlation_id}/workflow/history": READ,
    "GET /rebalance/runs/idempotency/{idempotency_key}/workflow/history": READ,
    "POST /rebalance/runs/{rebalance_run_id}/workflow/actions": REVIEW,
    "POST /rebalance/runs/by-correlation/{correlation_id}/workflow/actions": REVIEW,
    "POST /rebalance/runs/idempotency/{idempotency_key}/workflow/actions": REVIEW,
    "GET /rebalance/workflow/decisions": READ,
    "GET /rebalance/workflow/decisions/by-correlation/{correlation_id}": READ,
    "GET /rebalance/lineage/{entity_id}": READ,
    "GET /rebalance/supportability/summary": READ,
    "GET /rebalance/idempotency/{idempotency_key}/history": READ,
    "GET /api/v1/workflows": READ,
    "POST /api/v1/workflows/next": REVIEW,
    "GET /api/v1/workflows/{workflow_id}": READ,
    "POST /api/v1/workflows/{workflow_id}/actions": ANY,
    "GET /api/v1/workflow-studio/templates": READ,
    "GET /api/v1/workflow-studio/traces/{trace_id}": READ,
    "POST /api/v1/workflow-studio/traces/{trace_id}/reviews": REVIEW,
    "GET /api/v1/admin/workflows/{workflow_id}/export": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/admin/proposals/{proposal_id}/export": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/decisions/{decision_id}/receipt": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/admin/workflows/{workflow_id}/archive": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/log/checkpoint": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/log/tile/{tile}": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/log/proof/inclusion/{event_id}": Permission.WORKFLOW_EXPORT,
    "GET /api/v1/log/proof/consistency": Permission.WORKFLOW_EXPORT,
    "POST /api/v1/events": Permission.EVENTS_WRITE,
    "GET /api/v1/traces/{trace_id}": READ,
    "GET /api/v1/notifications": ANY,
    "POST /api/v1/notifications/{notification_id}/read": ANY,
    "GET /api/v1/reason-codes": READ,
}
# What answers an unknown id with an empty list.
EMPTY_FOR_STRANGERS = {"GET /rebalance/lineage/{entity_id}"}
# An operation on an unknown proposal is accepted and fails (proposals-api §1 route 14).
ACCEPTED_FROM_STRANGERS = {"POST /rebalance/proposals/{proposal_id}/versions/async"}
# Whose ids are the caller's alone, so that nobody else, in whichever tenant, finds anything there.
OWN_ONLY = {"POST /api/v1/notifications/{notification_id}/read"}


@dataclass(frozen=True)
class Cell:
    """One method of one rule."""

    name: str
    method: str
    rule: str
    permission: Permission | AnyToken | None
    body: Any

    @property
    def has_id(self) -> bool:
        return "<" in self.rule


@dataclass
class World:
    """An application with one run awaiting review, an operation on it, and callers of every kind."""

    app: Flask
    ids: dict[str, str]
    bearers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, cell: Cell, bearer: str | None, *, body: bool = False, raw: bytes | None = None, **headers: str
    ) -> TestResponse:
        rule = cell.rule.replace(
            "/proposals/operations/<ident:operation_id>", "/proposals/operations/<ident:proposal_operation_id>"
        )
        path = re.sub(r"<(?:ident|path):([a-z_]+)>", lambda found: segment(self.ids[found[1]]), rule)
        sent = headers | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        if cell.name.endswith(("/simulate", "/proposals", "/proposals/artifact", "/proposals/async", "/replay")):
            sent["Idempotency-Key"] = f"key of {cell.rule}"
        options: dict[str, Any] = {"json": cell.body} if body and cell.body is not None else {}
        if raw is not None:
            options = {"data": raw, "content_type": "application/json"}
        if cell.name.endswith("/proof/consistency"):
            options["query_string"] = {"from": "0"}
        return self.app.test_client().open(path, method=cell.method, headers=sent, **options)

    def bearer(self, *permissions: Permission, tenant: str = "default") -> str:
        name = ".".join([tenant, *sorted(permission.value for permission in permissions)])
        if name not in self.bearers:
            self.bearers[name] = bearer_of(self.app, f"account-{len(self.bearers)}", permissions, tenant)
        return self.bearers[name]


def cells(app: Flask) -> Iterator[Cell]:
    examples = _examples()
    for rule, methods, _, declared in declared_routes(app):
        plain = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule).replace("/api/v1/rebalance", "/rebalance", 1)
        for method in methods:
            body = None if declared.body is None else examples[declared.body.__name__]["value"]
            yield Cell(f"{method} {plain}", method, rule, declared.permission, body)


@cache
def _examples() -> dict[str, Any]:
    document = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["components"]["examples"]
    return found


@pytest.fixture
def world(app: Flask) -> World:
    return make_world(app)


# Whom the documented examples of bodies name.
NAMED = {ADVISER: Role.ADVISER, REVIEWER: Role.REVIEWER, "reviewer_001": Role.REVIEWER, "ada.osei": Role.ADMIN}


def make_world(app: Flask) -> World:
    """Record a run that waits for review and an operation, and return what is known of them."""
    engine = Caller(app.test_client(), "engine-feed", bearer_of(app, "engine-feed", ALL, "default"))
    for name, role in NAMED.items():
        hire(app, name, role)
        with app.app_context(), transaction() as session:
            for tenant_id in ("alpine", "north"):
                give_role(session, name=name, role=role, tenant_id=tenant_id, now=utcnow())
    run = engine.run(review_request(), key="known key", correlation="known/correlation")
    proposal = engine.send(
        "POST", "/rebalance/proposals", json=CREATE_PROPOSAL, headers={"Idempotency-Key": "known key"}
    )
    accepted = engine.send(
        "POST", "/rebalance/analyze/async", json=ANALYZE, headers={"X-Correlation-Id": "known/correlation"}
    )
    keyed = {"Idempotency-Key": "known key", "X-Correlation-Id": "known/correlation"}
    again = engine.send("POST", "/rebalance/proposals/async", json=CREATE_PROPOSAL, headers=keyed)
    rosa = Caller(app.test_client(), "rosa", bearer_of(app, "rosa", ALL, "default"))
    decided = rosa.decide(engine.run(review_request())["rebalance_run_id"])
    with app.app_context():
        signed = sign_with_a_new_key()
        entry = db.session.scalars(select(EventLogEntry.event_id).limit(1)).one()
    return World(
        app,
        {
            "event_id": entry,
            "decision_id": decided.json["latest_decision"]["decision_id"],
            "tile": f"0/000.p/{signed}",
            "rebalance_run_id": run["rebalance_run_id"],
            "proposal_operation_id": again.json["operation_id"],
            "correlation_id": "known/correlation",
            "idempotency_key": "known key",
            "request_hash": run["lineage"]["request_hash"],
            "operation_id": accepted.json["operation_id"],
            "proposal_id": proposal.json["proposal"]["proposal_id"],
            "version_no": "1",
            "entity_id": run["rebalance_run_id"],
            "workflow_id": f"known/correlation:exception:{run['rebalance_run_id']}",
            "trace_id": "known/correlation",
            "notification_id": "ntf_of_nobody",
        },
    )


def named_permission(answer: TestResponse) -> str | None:
    """Return the permission that a refusal says is missing."""
    if answer.status_code != 403:
        return None
    error = answer.json.get("error", {"details": answer.json})
    found: str | None = error["details"].get("permission")
    return found


def wrong(world: World, judge: Callable[[Cell], object]) -> list[tuple[str, object]]:
    """Return the routes of which ``judge`` has something to say."""
    return [(f"{cell.method} {cell.rule}", found) for cell in cells(world.app) if (found := judge(cell))]


@pytest.mark.stores("sqlite")
def test_every_route_is_classified_and_asks_for_what_it_should(app: Flask) -> None:
    found = {cell.name: cell.permission for cell in cells(app)}
    assert found == EXPECTED


@pytest.mark.stores("sqlite")
def test_every_address_is_either_a_declared_json_route_or_a_page_that_says_who_may_see_it(app: Flask) -> None:
    declared = {endpoint for _, _, endpoint, _ in declared_routes(app)}
    neither = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in declared and access_of(app, rule.endpoint) is None
    ]
    assert neither == []


@pytest.mark.stores("sqlite")
def test_without_a_token_nothing_answers_but_what_is_public(world: World) -> None:
    def judge(cell: Cell, bearer: str | None) -> object:
        answer = world.ask(cell, bearer)
        right = answer.status_code not in (401, 403) if cell.permission is None else answer.status_code == 401
        challenged = cell.permission is None or answer.headers.get("WWW-Authenticate", "").startswith("Bearer")
        return None if right and challenged else answer.status_code

    for bearer in (None, "lw_not-a-token", "Bearer Bearer", "ü"):
        assert wrong(world, partial(judge, bearer=bearer)) == [], bearer


@pytest.mark.stores("sqlite")
def test_a_token_without_the_permission_is_told_which_one_is_missing(world: World) -> None:
    def judge(cell: Cell) -> object:
        if not isinstance(cell.permission, Permission):
            return None
        others = frozenset(Permission) - {cell.permission}
        answer = world.ask(cell, world.bearer(*others), body=True)
        told = (answer.status_code, named_permission(answer))
        return None if told == (403, cell.permission.value) else told

    assert wrong(world, judge) == []


@pytest.mark.stores("sqlite")
def test_a_token_with_exactly_the_permission_is_let_in(world: World) -> None:
    def judge(cell: Cell) -> object:
        needed = [cell.permission] if isinstance(cell.permission, Permission) else [READ]
        answer = world.ask(cell, world.bearer(*needed))
        return answer.status_code if answer.status_code in (401, 403) or answer.status_code >= 500 else None

    assert wrong(world, judge) == []


@pytest.mark.stores("sqlite")
def test_a_role_opens_the_routes_of_its_permissions_and_no_other(world: World) -> None:
    def judge(cell: Cell, held: frozenset[Permission]) -> object:
        answer = world.ask(cell, world.bearer(*held))
        may = not isinstance(cell.permission, Permission) or cell.permission in held
        return None if may is (named_permission(answer) is None) else answer.status_code

    for role in Role:
        assert wrong(world, partial(judge, held=permissions_of([role]))) == [], role


@pytest.mark.stores("sqlite")
def test_an_action_asks_for_the_permission_of_its_own(world: World) -> None:
    (cell,) = (cell for cell in cells(world.app) if cell.name == "POST /api/v1/workflows/{workflow_id}/actions")
    for action in OFFERED:
        asked = Cell(cell.name, cell.method, cell.rule, cell.permission, {"action": action.value, "reason": "a reason"})
        needed = ACTIONS[action].permission
        refused = world.ask(asked, world.bearer(*(frozenset(Permission) - {needed})), body=True)
        assert (refused.status_code, named_permission(refused)) == (403, needed.value)
        assert named_permission(world.ask(asked, world.bearer(needed), body=True)) is None


def test_a_token_of_another_tenant_is_turned_away(world: World) -> None:
    def judge(cell: Cell) -> object:
        if cell.permission is None:
            return None
        answer = world.ask(cell, world.bearer(*ALL, tenant="north"), body=True, **{"X-Tenant-Id": "default"})
        return None if answer.status_code == 403 and '"tenant_id"' in answer.text else answer.status_code

    assert wrong(world, judge) == []


def test_ids_of_another_tenant_lead_nowhere(world: World) -> None:
    """A stranger gets 404 (never 403) where the owner gets an answer, and sees nothing of the owner's anywhere."""
    stranger, owner = world.bearer(*ALL, tenant="north"), world.bearer(*ALL)

    def judge(cell: Cell) -> object:
        if cell.permission is None or cell.name == "GET /metrics":
            return None
        answer = world.ask(cell, stranger, body=True, **{"X-Tenant-Id": "north"})
        if "demo_01" in answer.text:
            return "shows the owner's portfolio"
        if not cell.has_id:
            return None
        if cell.name in ACCEPTED_FROM_STRANGERS:
            return None if answer.status_code == 202 else answer.status_code
        if answer.status_code != (200 if cell.name in EMPTY_FOR_STRANGERS else 404):
            return answer.status_code
        if cell.name in OWN_ONLY:
            return None
        own = world.ask(cell, owner, body=True).status_code
        return None if own in (200, 201, 409) else f"the owner got {own}"

    assert wrong(world, judge) == []
