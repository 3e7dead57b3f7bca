"""One item for JSON: its actions, its notifications and what a decision on it rests on (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.actions import ACTIONS, OFFERED, Action
from lotus_web.domain.items.decision_rules import DecisionRules
from lotus_web.domain.items.evidence import EvidenceDocument
from lotus_web.domain.items.precedents import Precedents
from lotus_web.domain.items.staleness import evidence_digest
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.domain.sentences import Sentence
from lotus_web.models import EventLogEntry, Notification, WorkflowAction
from lotus_web.models.to_domain import action_record
from lotus_web.queries.items.evidence import shown_evidence
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.queries.items.subjects import READERS
from lotus_web.queries.items.violations import item_violations
from lotus_web.queries.traces.summary import TraceSummary, trace_summary

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class ActionChoice:
    """One action and whether the caller can take it now; ``why_not`` is the message of the refusal otherwise."""

    action: str
    permission: str
    allowed: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class WorkflowDetail:
    """An item with its history and its context; ``violations`` are what the policy said, ``digest`` is what there is to see,
    ``evidence`` the document of it, ``posters`` who sent the events of other systems that actions came from."""

    item: ItemState
    actions: tuple[ActionRecord, ...]
    notifications: tuple[Notification, ...]
    choices: tuple[ActionChoice, ...]
    violations: Sequence[Mapping[str, Any]]
    precedents: Precedents
    trace: TraceSummary
    run_status: str | None
    digest: str
    evidence: EvidenceDocument
    posters: Mapping[str, str]


def workflow_detail(
    session: Session,
    workflow_id: str,
    *,
    actor: Actor,
    now: datetime,
    rules: DecisionRules,
    codes: Catalogue = REASON_CODES,
) -> WorkflowDetail:
    """Return an item with the actions that ``actor`` can take; raises NotFound. At most seventeen queries."""
    item = stored_item(session, actor.tenant_id, workflow_id)
    reader, precedents = READERS[item.subject], item_precedents(session, item, now=now, codes=codes)
    subject = reader.facts(session, item)
    return WorkflowDetail(
        item=item,
        actions=item_actions(session, item),
        notifications=_notifications(session, item),
        choices=tuple(_choice(action, rules.refusal(item, subject.evidence, actor, action)) for action in OFFERED),
        violations=item_violations(session, item),
        precedents=precedents,
        trace=trace_summary(session, item.tenant_id, item.trace_id),
        run_status=subject.status,
        digest=evidence_digest(item, subject.evidence),
        evidence=shown_evidence(item, *reader.page(session, item), precedents),
        posters=_posters(session, item),
    )


def _posters(session: Session, item: ItemState) -> Mapping[str, str]:
    query = (
        select(EventLogEntry.event_id, EventLogEntry.posted_by)
        .join(
            WorkflowAction,
            (WorkflowAction.tenant_id == EventLogEntry.tenant_id)
            & (WorkflowAction.source_event_id == EventLogEntry.event_id),
        )
        .where(WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
        .where(EventLogEntry.posted_by.is_not(None))
    )
    return {row.event_id: str(row.posted_by) for row in session.execute(query)}


def item_actions(session: Session, item: ItemState) -> tuple[ActionRecord, ...]:
    """Return the first ``MOST_ROWS`` actions on an item, oldest first."""
    query = (
        select(WorkflowAction)
        .where(WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
        .order_by(WorkflowAction.action_seq)
        .limit(MOST_ROWS)
    )
    return tuple(action_record(row) for row in session.scalars(query))


def _notifications(session: Session, item: ItemState) -> tuple[Notification, ...]:
    query = (
        select(Notification)
        .where(Notification.tenant_id == item.tenant_id, Notification.workflow_id == item.workflow_id)
        .order_by(Notification.notification_seq.desc())
        .limit(MOST_ROWS)
    )
    return tuple(session.scalars(query))


def _choice(action: Action, refusal: Sentence | None) -> ActionChoice:
    return ActionChoice(
        action.value, ACTIONS[action].permission.value, refusal is None, None if refusal is None else str(refusal)
    )
