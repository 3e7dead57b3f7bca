"""A dry run of the studio: the review that would be started for a trace, with its signals; writes nothing (workflow.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.precedents import Precedents, precedent_key
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import SubjectType, item_id
from lotus_web.domain.items.values import Priority
from lotus_web.domain.sla.deadlines import due_at
from lotus_web.domain.studio import (
    Draft,
    Signal,
    TraceFacts,
    default_template,
    priority_for,
    recommended_reason,
    signals_of,
    template_named,
)
from lotus_web.queries.items.precedents import find_precedents
from lotus_web.queries.traces.summary import ACTIVE, TraceSummary, trace_summary


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the studio shows of a trace; ``existing`` is the review that this template started earlier, if any."""

    trace: TraceSummary
    draft: Draft
    signals: tuple[Signal, ...]
    priority: Priority
    recommended_reason: str
    existing: ItemState | None
    precedents: Precedents


def dry_run(
    session: Session,
    tenant_id: str,
    trace_id: str,
    *,
    template_id: str | None,
    now: datetime,
    codes: Catalogue = REASON_CODES,
) -> DryRun:
    """Return the draft, the signals and the precedents of a trace; raises NotFound for the trace or the template."""
    trace = trace_summary(session, tenant_id, trace_id)
    precedents = _precedents(session, tenant_id, trace, now, codes)
    outcome = None if trace.outcome == ACTIVE else trace.outcome
    facts = TraceFacts(trace_id, trace.title, trace.exception_requested, outcome, precedents)
    template = template_named(template_id) if template_id else default_template(facts)
    signals = signals_of(facts)
    priority, reason = priority_for(signals), recommended_reason(facts, signals)
    workflow_id = item_id(trace_id, SubjectType.TRACE_REVIEW, template.template_id)
    draft = Draft(
        workflow_id=workflow_id,
        trace_id=trace_id,
        template=template,
        title=f"{template.title}: {trace.title}"[:250],
        priority=min(priority, template.priority),
        reason=reason,
        sla_hours=template.sla_hours,
        sla_due_at=due_at(now, template.sla_hours),
    )
    existing = next((item for item in trace.items if item.workflow_id == workflow_id), None)
    return DryRun(trace, draft, signals, priority, reason, existing, precedents)


def _precedents(session: Session, tenant_id: str, trace: TraceSummary, now: datetime, codes: Catalogue) -> Precedents:
    """Return the precedents of the trace's exception if it has one, else of its policy and entity."""
    asked = next((item for item in reversed(trace.items) if item.subject is not SubjectType.TRACE_REVIEW), None)
    if asked is not None:
        key, portfolio_id = precedent_key(asked.policy_id, asked.metadata), asked.portfolio_id
    else:
        key = precedent_key(trace.policy["policy_id"], {}) if trace.policy else None
        entity = trace.primary_entity
        portfolio_id = entity["entity_id"] if entity["entity_type"] == "portfolio" else None
    return find_precedents(
        session,
        tenant_id,
        key=key,
        portfolio_id=portfolio_id,
        before=now,
        besides=asked.workflow_id if asked else None,
        codes=codes,
    )
