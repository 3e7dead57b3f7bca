"""A tenant that has one of everything, all of it called by one text, and the addresses of every page with its ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from sqlalchemy import select
from werkzeug.routing import Rule

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.domain.proposals.states import ProposalEvent
from lotus_web.domain.surface import Surface
from lotus_web.models import ApiToken, Decision, Delivery, Notification, Run, SavedView
from lotus_web.services.accounts.people import create_person
from lotus_web.services.inbox import save_view
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.runs.replay import replay_run
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction
from lotus_web.web.guard.access import OpenTo, access_of, is_json_blueprint
from tests.support import proposals, runs
from tests.support.analyses import accept
from tests.support.histories import ADA, append, event, person, requested
from tests.support.logs import sign
from tests.support.people import PASSWORD, bearer_of

ACCOUNT = "nightly"
CALLBACK = "https://hooks.example/desk"


@dataclass(frozen=True)
class Address:
    """A route of the app with real ids in it; ``named`` says that there are some."""

    endpoint: str
    method: str
    path: str
    named: bool


def furnish(app: Flask, text: str, *, name: str = "tilda") -> dict[str, str]:
    """Fill the default tenant and return its ids by the names that routes give them.

    There are a run with its item, a replay of it under legal hold, an operation, a proposal with two versions, a trace of
    another system, a person called ``name`` with a view of the inbox, an account with a token; titles, reasons, ids and names are ``text`` wherever a text
    may be anything.
    """

    def rename(body: dict[str, Any]) -> None:
        body["portfolio_snapshot"] = {**body["portfolio_snapshot"], "portfolio_id": text}
        shelf = {**body["shelf_entries"][0], "instrument_id": text, "asset_class": text}
        body["shelf_entries"] = [shelf, *body["shelf_entries"]]

    run_id = runs.record(app, key=text, correlation_id=text, change=rename)
    workflow_id = f"{text}:exception:{run_id}"
    with app.app_context():
        bearer_of(app, ACCOUNT, [Permission.RUNS_READ])
        replayed = replay_run(run_id, correlation_id=text, actor=ADA, policy=runs.UNGATED, clock=utcnow)
        operation_id = accept(correlation_id=text, inline=True, callback_url=CALLBACK).operation_id
        proposal_id = proposals.proposed(key=text, **proposals.called(text)).proposal_id
        proposals.versioned(proposal_id, simulate_request=proposals.called(text)["simulate_request"])
        proposals.posted(proposal_id, ProposalEvent.SUBMITTED_FOR_RISK_REVIEW, reason={"comment": text})
        with transaction() as session:
            hold = {"hold": True, "reason": text, "surface": Surface.FORM, "now": utcnow()}
            set_legal_hold(session, replayed, actor=ADA, **hold)
            create_person(
                session,
                name=name,
                display_name=text[:100],
                password=hashed(PASSWORD),
                role=Role.REVIEWER,
                tenant_id="default",
                now=utcnow(),
            )
            save_view(session, name="Late ones", query="due=overdue", actor=person(name, Role.REVIEWER), now=utcnow())
            other = _trace_of_another_system(session, text)
        db.session.remove()
    for item in (workflow_id, other):
        runs.act(app, item, Action.COMMENT, by=ADA, text=text)
        runs.act(app, item, Action.REJECT, by=ADA, text=text, reason_code="STRANGE")
        runs.act(app, item, Action.COMMENT, by=ADA, text=text)
    if app.extensions["lotus_settings"].log_key_file:
        with app.app_context():
            sign(app)
    known = {"operation_id": operation_id, "workflow_id": workflow_id, "name": name, "account": ACCOUNT}
    return _ids(app, text, run_id, replayed) | known | {"proposal_id": proposal_id, "version_no": "1"}


def _trace_of_another_system(session: Any, text: str) -> str:
    trace_id = f"{text} elsewhere"
    started = {"workflow": text, "title": text, "primary_entity": {"entity_type": text, "entity_id": text}}
    asked = requested(text, policy={"policy_id": text, "policy_version": text}, reason=text)
    actor = {"actor_type": "service_account", "actor_id": text}
    append(session, event(EventType.TRACE_STARTED, started, trace_id=trace_id, actor=actor))
    append(session, event(EventType.EXCEPTION_REQUESTED, asked, trace_id=trace_id, actor=actor))
    return f"{trace_id}:exception:{text}"


def _ids(app: Flask, text: str, run_id: str, replayed: str) -> dict[str, str]:
    with app.app_context():
        run = db.session.get(Run, ("default", run_id))
        assert run is not None
        told = db.session.scalars(select(Notification.notification_id).limit(1)).one()
        token = db.session.scalars(select(ApiToken.token_id).limit(1)).one()
        view = db.session.scalars(select(SavedView.view_id).limit(1)).one()
        decision = db.session.scalars(select(Decision.decision_id).limit(1)).one()
        delivery = db.session.scalars(select(Delivery.delivery_id).limit(1)).one()
    return {
        "run_id": run_id,
        "replayed": replayed,
        "rebalance_run_id": run_id,
        "correlation_id": text,
        "trace_id": text,
        "idempotency_key": text,
        "key": text,
        "request_hash": run.request_hash,
        "entity_id": run_id,
        "notification_id": told,
        "token_id": token,
        "view_id": view,
        "decision_id": decision,
        "delivery_id": delivery,
    }


def pages(app: Flask, method: str, ids: Mapping[str, str]) -> Iterator[Address]:
    """Yield every page that is not public under one method, with these ids; KeyError names one that is not known yet."""
    with app.test_request_context():
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        for rule in app.url_map.iter_rules():
            closed = access_of(app, rule.endpoint) is not OpenTo.PUBLIC
            if method in (rule.methods or ()) and closed and not is_json_blueprint(rule.endpoint.rpartition(".")[0]):
                values = {argument: _value(rule, argument, ids) for argument in rule.arguments}
                path = adapter.build(rule.endpoint, values, method=method)
                yield Address(rule.endpoint, method, path, bool(values))


def _value(rule: Rule, argument: str, ids: Mapping[str, str]) -> str:
    if rule.endpoint == "replay.show":
        return ids["replayed"]
    return ids["account" if rule.endpoint == "accounts_service.alter" else argument]
