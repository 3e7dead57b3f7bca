"""One box for every kind of id, and for words: what an exact text names, else what holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.models import Decision, IdempotencyKey, Run, WorkflowItem

MOST_EACH = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A record to go to, a run or an item, and what of it the text was."""

    kind: EntityKind
    entity_id: str
    named_as: str
    title: str
    status: str
    at: datetime


def find_exact(session: Session, tenant_id: str, text: str) -> tuple[Hit, ...]:
    """Return each record that the whole text names, once, newest first within its kind; five queries."""
    decided_run = select(Decision.run_id).where(Decision.tenant_id == tenant_id, Decision.decision_id == text)
    keyed_run = select(IdempotencyKey.rebalance_run_id).where(
        IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.idempotency_key == text
    )
    run_id = Run.rebalance_run_id
    return _once(
        [
            *_runs(session, tenant_id, "run", run_id.in_([text, text.replace("dra_", "rr_", 1)])),
            *_runs(session, tenant_id, "correlation", Run.correlation_id == text),
            *_runs(session, tenant_id, "idempotency key", run_id.in_(keyed_run)),
            *_runs(session, tenant_id, "request hash", Run.request_hash == text),
            *_runs(session, tenant_id, "decision", run_id.in_(decided_run)),
            *_items(session, tenant_id, "item", WorkflowItem.workflow_id == text),
        ]
    )


def find_related(session: Session, tenant_id: str, text: str) -> tuple[Hit, ...]:
    """Return the newest items of a portfolio or trace of that name, then open items whose words hold the text."""
    holds = WorkflowItem.title.icontains(text, autoescape=True) | WorkflowItem.request_reason.icontains(
        text, autoescape=True
    )
    return _once(
        [
            *_items(session, tenant_id, "portfolio", WorkflowItem.portfolio_id == text),
            *_items(session, tenant_id, "trace", WorkflowItem.trace_id == text),
            *_runs(session, tenant_id, "portfolio", Run.portfolio_id == text),
            *_items(session, tenant_id, "open item", WorkflowItem.resolved_at.is_(None) & holds),
        ]
    )


def _runs(session: Session, tenant_id: str, named_as: str, condition: ColumnElement[bool]) -> list[Hit]:
    query = select(Run.rebalance_run_id, Run.portfolio_id, Run.status, Run.created_at)
    query = query.where(Run.tenant_id == tenant_id, condition).order_by(Run.created_at.desc()).limit(MOST_EACH)
    return [
        Hit(EntityKind.RUN, run_id, named_as, f"Rebalance {portfolio_id}", status, at)
        for run_id, portfolio_id, status, at in session.execute(query)
    ]


def _items(session: Session, tenant_id: str, named_as: str, condition: ColumnElement[bool]) -> list[Hit]:
    query = select(WorkflowItem.workflow_id, WorkflowItem.title, WorkflowItem.status, WorkflowItem.requested_at)
    query = query.where(WorkflowItem.tenant_id == tenant_id, condition)
    query = query.order_by(WorkflowItem.requested_at.desc(), WorkflowItem.workflow_id.desc()).limit(MOST_EACH)
    return [
        Hit(EntityKind.ITEM, workflow_id, named_as, title, status, at)
        for workflow_id, title, status, at in session.execute(query)
    ]


def _once(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    first: dict[tuple[EntityKind, str], Hit] = {}
    for hit in hits:
        first.setdefault((hit.kind, hit.entity_id), hit)
    return tuple(first.values())
