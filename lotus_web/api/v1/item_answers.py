"""From what queries and services return to the models that are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from flask import Response
from pydantic import BaseModel

from lotus_web.api.endpoint.routing import json_response
from lotus_web.api.v1.envelope import V1Envelope
from lotus_web.api.v1.schemas.items import (
    ActionAnswer,
    ChoiceAnswer,
    ClaimAnswer,
    PrecedentsAnswer,
    ReviewContextAnswer,
    SlaAnswer,
    WorkflowAnswer,
    WorkflowDetailAnswer,
)
from lotus_web.api.v1.schemas.notifications import NotificationAnswer
from lotus_web.api.v1.schemas.traces import TraceReferenceAnswer
from lotus_web.config import current
from lotus_web.domain.accounts.acting import voucher
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.domain.items.transitions import offered_phrase
from lotus_web.http.responses import utf8_json
from lotus_web.queries.decisions.outcomes import with_reasons
from lotus_web.queries.items.detail import WorkflowDetail
from lotus_web.queries.traces.summary import TraceSummary
from lotus_web.store.session import db
from lotus_web.wire.items import action_document, item_document


def with_status(answer: BaseModel, status: int) -> Response:
    """Return an answer under a status that the view chose."""
    return json_response(V1Envelope().wrap(utf8_json(answer)), status=status)


def workflow_answer(item: ItemState, now: datetime) -> WorkflowAnswer:
    """Return an item as it is sent; at most one query."""
    return workflow_answers([item], now)[0]


def workflow_answers(items: Sequence[ItemState], now: datetime) -> list[WorkflowAnswer]:
    """Return items of one tenant as they are sent; at most one query."""
    told = with_reasons(db.session(), items, current.settings().reason_codes)
    return [WorkflowAnswer.model_validate(item_document(item, now=now)) for item in told]


def action_answer(record: ActionRecord, posted_by: str | None = None) -> ActionAnswer:
    """Return an action as it is sent; ``posted_by`` is who sent the event of another system that it came from."""
    through = voucher(record.actor_id, record.on_behalf_of, posted_by)
    return ActionAnswer.model_validate({**action_document(record), "through": through})


def trace_reference(trace: TraceSummary) -> TraceReferenceAnswer:
    """Return a trace in short, with where to read more."""
    return TraceReferenceAnswer(
        trace_id=trace.trace_id,
        title=trace.title,
        workflow=trace.workflow,
        primary_entity=dict(trace.primary_entity),
        outcome=trace.outcome,
        event_count=trace.event_count,
        started_at=trace.started_at,
        href=f"/api/v1/traces/{quote(trace.trace_id, safe='')}",
    )


def detail_answer(detail: WorkflowDetail, *, now: datetime, claim_minutes: int) -> WorkflowDetailAnswer:
    """Return an item with its history and context as it is sent."""
    item = detail.item
    evidence = item.metadata.get("evidence")
    return WorkflowDetailAnswer(
        workflow=workflow_answer(item, now),
        actions=[action_answer(one, detail.posters.get(one.source_event_id or "")) for one in detail.actions],
        notifications=[NotificationAnswer.model_validate(row) for row in detail.notifications],
        review_context=ReviewContextAnswer(
            reason=item.request_reason,
            policy_id=item.policy_id,
            policy_version=item.policy_version,
            rules=[dict(one) for one in detail.violations],
            evidence=dict(evidence) if isinstance(evidence, dict) else {},
            run_status=detail.run_status,
            precedents=PrecedentsAnswer.of(detail.precedents),
            actions=[ChoiceAnswer.model_validate(choice) for choice in detail.choices],
            override_phrase=offered_phrase(item.facts),
            shown_digest=detail.digest,
            evidence_digest=detail.evidence.digest,
            sla=SlaAnswer(due_at=item.sla_due_at, overdue=item.overdue(now), **item.metadata["sla"]),
            claim=_claim(item, claim_minutes),
        ),
        trace_reference=trace_reference(detail.trace),
    )


def _claim(item: ItemState, claim_minutes: int) -> ClaimAnswer | None:
    if item.claimed_at is None or item.assigned_account_id is None or not item.is_open:
        return None
    return ClaimAnswer(
        holder=item.assigned_account_id,
        claimed_at=item.claimed_at,
        expires_at=item.claimed_at + timedelta(minutes=claim_minutes),
    )
