"""The decisions on one run with the fields of RFC-0020; history.py has the list across runs (dpm-api §8.1)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.models import Decision

COLUMNS = (
    Decision.decision_id,
    Decision.run_id,
    Decision.action,
    Decision.reason_code,
    Decision.comment,
    Decision.actor_id,
    Decision.decided_at,
    Decision.correlation_id,
)


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision with the fields of RFC-0020 §4.2."""

    decision_id: str
    run_id: str
    action: str
    reason_code: str
    comment: str | None
    actor_id: str
    decided_at: datetime
    correlation_id: str


def decision_record(row: Decision) -> DecisionRecord:
    """Return a stored decision with the fields of RFC-0020 §4.2."""
    return DecisionRecord(**{field.name: getattr(row, field.name) for field in fields(DecisionRecord)})


def decisions_of_run(session: Session, tenant_id: str, run_id: str) -> tuple[DecisionRecord, ...]:
    """Return a run's decisions in the order in which they were taken; one query."""
    query = (
        select(*COLUMNS)
        .where(Decision.tenant_id == tenant_id, Decision.run_id == run_id)
        .order_by(Decision.decision_seq)
    )
    return tuple(DecisionRecord(*row) for row in session.execute(query))


def latest_decision(session: Session, tenant_id: str, run_id: str) -> DecisionRecord | None:
    """Return the decision on a run that was written last, even where two have the same time; one query."""
    query = (
        select(*COLUMNS)
        .where(Decision.tenant_id == tenant_id, Decision.run_id == run_id)
        .order_by(Decision.decision_seq.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else DecisionRecord(*found)
