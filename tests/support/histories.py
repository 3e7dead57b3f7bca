"""People, runs and actions for tests of the history: built through the services, so that no impossible history exists."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, ActorType, Permission, Role, permissions_of
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import SOURCE as OWN
from lotus_web.domain.events.envelope import EventDraft, EventSource, EventType
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import FourEyes
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import override_phrase
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind
from lotus_web.domain.proposals.reviews import ReviewedVersion, review_item_id
from lotus_web.domain.proposals.reviews import review_requested as proposal_review_requested
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.domain.surface import Surface
from lotus_web.models import Person, PersonRole, Run, WorkflowItem
from lotus_web.queries.audit.chain import ChainReport, chained_tenants, verify_chain
from lotus_web.queries.audit.decisions import verify_decisions
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.services.command import CommandContext
from lotus_web.services.decisions.gate import decide_run
from lotus_web.services.events.log import append_event
from lotus_web.services.events.rebuild import check_batch
from lotus_web.services.events.withdrawal import withdraw_review
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.services.runs.record import ComputedRun, record_run
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import dump

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = DeploymentPolicy(workflow_enabled=True)
OFF = DeploymentPolicy(workflow_enabled=False)
APPEND_ONLY = ("dg_event_log", "dg_workflow_actions", "dg_workflow_notifications", "dpm_workflow_decisions")
# Entries of the log that are events of a trace; the others are facts (domain/events/facts.py).
EVENTS = "trace_id <> ''"
HASH = "sha256:" + "ab" * 32


def person(name: str, role: Role, tenant_id: str = "default") -> Actor:
    """Return a person with one role."""
    return Actor(ActorType.PERSON, name, tenant_id, permissions_of([role]), frozenset({role}))


NORA = person("nora.lind", Role.REVIEWER)
TOMAS = person("tomas.roth", Role.REVIEWER)
MARA = person("mara.keller", Role.MANAGER)
ADA = person("ada.osei", Role.ADMIN)
VIEW = person("victor.han", Role.VIEWER)
FEED = Actor(ActorType.SERVICE_ACCOUNT, "drift-engine", "default", frozenset(Permission))


def result(run_id: str, correlation_id: str, status: str = "PENDING_REVIEW") -> dict[str, Any]:
    """Return the smallest result document that recording and pages understand, with cash outside its band."""
    state: dict[str, Any] = {
        "total_value": {"amount": "100.00", "currency": "CHF"},
        "allocation_by_asset_class": [],
        "allocation_by_instrument": [],
        "cash_balances": [],
        "positions": [],
    }
    rule = {
        "rule_id": "CASH_BAND",
        "severity": "SOFT",
        "status": "FAIL" if status != "READY" else "PASS",
        "measured": "0.0800",
        "threshold": {"min": "0.0100", "max": "0.0500"},
        "reason_code": "THRESHOLD_BREACH" if status != "READY" else "OK",
        "remediation_hint": None,
    }
    return {
        "rebalance_run_id": run_id,
        "correlation_id": correlation_id,
        "status": status,
        "before": state,
        "after_simulated": state,
        "universe": {"excluded": []},
        "target": {"targets": []},
        "intents": [],
        "rule_results": [rule],
        "diagnostics": {
            "warnings": [],
            "data_quality": {},
            "cash_ladder": [],
            "dropped_intents": [],
            "suppressed_intents": [],
            "group_constraint_events": [],
            "tax_budget_constraint_events": [],
        },
        "tax_impact": None,
        "lineage": {"engine_version": "1.0.0"},
    }


def computed(
    number: int, *, status: str = "PENDING_REVIEW", correlation_id: str | None = None, portfolio_id: str | None = None
) -> ComputedRun:
    """Return run ``number`` as the engine would hand it over."""
    correlation_id = correlation_id or f"corr-{number}"
    return ComputedRun(
        request_hash=HASH,
        idempotency_key=None,
        portfolio_id=portfolio_id or f"PF-{number}",
        request={},
        result_json=dump(result(f"rr_{number:08x}", correlation_id, status)),
    )


def record(session: Session, number: int, *, policy: DeploymentPolicy = POLICY, actor: Actor = FEED, **how: Any) -> Run:
    """Record run ``number`` in the caller's transaction."""
    return record_run(session, computed(number, **how), actor=actor, now=NOW, policy=policy)


def workflow_id(number: int) -> str:
    """Return the id of the item of run ``number``."""
    return f"corr-{number}:exception:rr_{number:08x}"


def act(
    session: Session,
    item: str,
    action: Action,
    *,
    actor: Actor = NORA,
    now: datetime = NOW,
    surface: Surface = Surface.FORM,
    policy: DeploymentPolicy = POLICY,
    **asked: Any,
) -> Reviewed:
    """Apply an action with a reason, a phrase and a target where it needs them."""
    given: dict[str, Any] = {"text": "Because of the cash that is due."}
    if action is Action.OVERRIDE:
        given["confirm_text"] = override_phrase(item)
    if action is Action.REASSIGN:
        given["assigned_role"] = "manager"
    return apply_action(
        session,
        item,
        ReviewAction(action, **{**given, **asked}),
        CommandContext(actor, surface, "corr-of-the-request", now, policy),
    )


def decide(
    session: Session, number: int, action: GateAction, *, actor: Actor = NORA, policy: DeploymentPolicy = POLICY
) -> Reviewed:
    """Decide run ``number`` as a JSON consumer does."""
    return decide_run(
        session,
        f"rr_{number:08x}",
        action=action,
        reason_code="CASH_PLANNED",
        comment="Cash is due next week.",
        context=CommandContext(actor, Surface.RFC, "corr-of-the-request", NOW, policy),
    ).reviewed


def event(event_type: EventType, payload: dict[str, Any], **changes: Any) -> EventDraft:
    """Return an event of another decision system, a trace's first unless said otherwise."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "event_id": f"evt-{number}",
        "tenant_id": "default",
        "trace_id": "trace-1",
        "event_type": event_type,
        "occurred_at": NOW,
        "source": EventSource("credit-desk", "credit-producer"),
        "actor": {"actor_type": "service_account", "actor_id": "credit-bot"},
        "idempotency_key": f"key-{number}",
        "payload": payload,
    }
    return EventDraft(**{**values, **changes})


_numbers = itertools.count(1)


def append(session: Session, draft: EventDraft, now: datetime = NOW) -> Any:
    """Append an event in the caller's transaction."""
    return append_event(session, draft, defaults=POLICY.defaults, now=now)


STARTED = {
    "workflow": "credit",
    "title": "Limit of Aare AG",
    "primary_entity": {"entity_type": "client", "entity_id": "C-7"},
}


def requested(exception_id: str = "ex-1", **more: Any) -> dict[str, Any]:
    """Return the payload of an exception request."""
    policy = {"policy_id": "credit_limits", "policy_version": "4"}
    return {"exception_id": exception_id, "policy": policy, "reason": "The limit is exceeded.", **more}


def review_requested(template_id: str = "incident_triage", **more: Any) -> dict[str, Any]:
    """Return the payload of a review request."""
    return {
        "template_id": template_id,
        "subject": {"subject_type": "trace", "subject_id": "trace-1"},
        "assignee": {"role": "admin"},
        "priority": "high",
        "sla_hours": 2,
        "reason": "The outcome was unfavourable.",
        "title": "Triage",
        "workflow_kind": "incident_review",
        **more,
    }


def submitted(session: Session, proposal_id: str, version_no: int = 1, *, now: datetime = NOW, **more: Any) -> str:
    """Append what the submission of a proposal's version for a review appends to the log; return the id of its item."""
    version = {
        "proposal_id": proposal_id,
        "version_no": version_no,
        "version_id": f"ppv_{version_no}",
        "engine_version": "1.0.0",
        "portfolio_id": "PF-1",
        "title": "More equity",
        "artifact_hash": f"sha256:{version_no}",
        "made_by": "ana.adler",
        "state": ProposalState.RISK_REVIEW,
        "findings": ("CASH_BAND",),
    }
    asked = proposal_review_requested(ReviewedVersion(**{**version, **more}))
    told = {"trace_id": proposal_id, "source": OWN, "occurred_at": now}
    if session.get(WorkflowItem, ("default", review_item_id(proposal_id))) is None:
        started = {"primary_entity": {"entity_type": "portfolio", "entity_id": "PF-1"}, "workflow": "proposal"}
        append(session, event(EventType.TRACE_STARTED, STARTED | started, **told), now)
    append(session, event(EventType.WORKFLOW_REVIEW_REQUESTED, asked, **told), now)
    return review_item_id(proposal_id)


def withdrawn(session: Session, proposal_id: str, *, actor: Actor = FEED, now: datetime = NOW) -> bool:
    """Withdraw the review of a proposal, as a new version of it does."""
    context = CommandContext(actor, Surface.API, "corr-of-the-request", now, POLICY)
    why = {"event_type": "NEW_VERSION_CREATED", "version_no": 2}
    text = "Version 2 replaced the version under review."
    return withdraw_review(session, review_item_id(proposal_id), context, text=text, why=why)


def approved(subject_type: str, subject_id: str, decision: str = "approved", **more: Any) -> dict[str, Any]:
    """Return the payload of a recorded approval."""
    return {
        "approval_id": "ap-1",
        "subject": {"subject_type": subject_type, "subject_id": subject_id},
        "approver": {"actor_type": "person", "actor_id": "greta.simon"},
        "decision": decision,
        **more,
    }


def hire(session: Session, *people: Actor) -> None:
    """Put people with their roles into the store."""
    for someone in people:
        session.add(Person(name=someone.actor_id, display_name=someone.actor_id, password_hash="!", created_at=NOW))
        session.flush()
        for role in someone.roles:
            session.add(PersonRole(name=someone.actor_id, tenant_id=someone.tenant_id, role=role.value))
    session.flush()


def refused(call: Callable[[Session], Any], kind: type[Exception]) -> Exception:
    """Run ``call`` in a transaction of its own, which must be refused with ``kind``; return the refusal."""
    try:
        with transaction() as session:
            call(session)
    except kind as refusal:
        return refusal
    raise AssertionError(f"nothing refused it with {kind.__name__}")


def verify(tenant_id: str = "default") -> ChainReport:
    """Verify a tenant's chain as the store holds it now."""
    db.session.rollback()
    return verify_chain(db.session(), tenant_id)


def differences(tenant_id: str = "default") -> list[str]:
    """Return everything in which the stored inbox and the history disagree."""
    found, after = [], ""
    while True:
        batch = check_batch(db.session(), tenant_id, after=after)
        found += batch.differences
        if batch.upto is None:
            db.session.rollback()
            return found
        after = batch.upto


def assert_provable() -> None:
    """Assert that every chain is intact, every decision is in it, and the inbox is what the history says."""
    for tenant_id in chained_tenants(db.session()):
        report = verify(tenant_id)
        assert report.intact, report
        assert list(verify_decisions(db.session(), tenant_id)) == []
        assert list(verify_facts(db.session(), tenant_id)) == []
        assert differences(tenant_id) == []


def count(table: str, where: str = "true") -> int:
    """Return how many rows a table holds."""
    db.session.rollback()
    return int(db.session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


def contents() -> dict[str, int]:
    """Return how much the tables of the history hold."""
    tables = (*APPEND_ONLY, "dg_workflow_items", "dpm_runs", "dpm_lineage_edges")
    return {table: count(table) for table in tables} | {"dg_event_log": count("dg_event_log", EVENTS)}


@contextmanager
def unguarded(*tables: str) -> Iterator[Session]:
    """Open a transaction in which the triggers of some tables are gone, as for someone who owns the database."""
    with transaction() as session:
        for table in tables:
            for trigger in _triggers(session, table):
                on = f" ON {table}" if session.get_bind().dialect.name == "postgresql" else ""
                session.execute(text(f"DROP TRIGGER {trigger}{on}"))
        yield session


def tampered(session: Session, statement: str, **values: Any) -> ChainReport:
    """Return what the verification says of the log after ``statement``, and undo it."""
    with session.begin_nested() as undo:
        assert session.execute(text(statement), values).rowcount >= 1  # type: ignore[attr-defined]
        report = verify_chain(session, "default")
        undo.rollback()
    return report


def _triggers(session: Session, table: str) -> list[str]:
    if session.get_bind().dialect.name == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = cast(:table AS regclass) AND NOT tgisinternal"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    return list(session.execute(text(query), {"table": table}).scalars())


def later(hours: float) -> datetime:
    """Return an instant after NOW."""
    return NOW + timedelta(hours=hours)


NO_FOUR_EYES = DeploymentPolicy(workflow_enabled=True, four_eyes=FourEyes(enabled=False))

ITEM = ItemState(
    tenant_id="default",
    workflow_id="t:exception:x",
    trace_id="t",
    workflow_kind=WorkflowKind.EXCEPTION_REVIEW,
    workflow_name="rebalance",
    subject_type="exception",
    subject_id="x",
    status=ItemStatus.REQUESTED,
    priority=Priority.NORMAL,
    title="Rebalance PF-1",
    request_reason="r",
    requested_by_type="service_account",
    requested_by_id="drift-engine",
    requested_at=NOW,
    sla_due_at=later(4),
    updated_at=NOW,
    created_from_event_id="evt-1",
    last_source_log_seq=2,
    assigned_role="reviewer",
)
