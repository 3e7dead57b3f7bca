"""The report of reasons: how often each was given, and the time to decision (console.md, /decisions)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue, reason_text
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.models import WorkflowAction

REPORTED = tuple(action for action, spec in ACTIONS.items() if spec.reasons)
COUNTED_AT_MOST = 50_000


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason of one action; ``code`` None where none was given, ``share`` of the action's total in whole percent."""

    action: str
    code: str | None
    text: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class ReasonReport:
    """The lines, by action and then the most frequent first; ``capped`` when only the newest of an action were counted."""

    lines: tuple[ReasonLine, ...]
    totals: Mapping[str, int]
    capped: bool


def reason_report(
    session: Session, tenant_id: str, *, since: datetime, until: datetime, codes: Catalogue = REASON_CODES
) -> ReasonReport:
    """Return the reasons of the decisions from ``since`` to just before ``until``; one query an action, each over an index."""
    lines: list[ReasonLine] = []
    totals: dict[str, int] = {}
    capped = False
    for action in REPORTED:
        counts = _counts(session, tenant_id, action, since, until)
        total = totals[action.value] = sum(counts.values())
        capped = capped or total > COUNTED_AT_MOST
        for code, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or "")):
            text = reason_text(action, code, codes) if code else "No code given"
            lines.append(ReasonLine(action.value, code, text, count, round(100 * count / total)))
    return ReasonReport(tuple(lines), totals, capped)


def _counts(
    session: Session, tenant_id: str, action: Action, since: datetime, until: datetime
) -> dict[str | None, int]:
    newest = (
        select(WorkflowAction.reason_code)
        .where(
            WorkflowAction.tenant_id == tenant_id,
            WorkflowAction.action_type == action.value,
            WorkflowAction.occurred_at >= since,
            WorkflowAction.occurred_at < until,
        )
        .order_by(WorkflowAction.occurred_at.desc())
        .limit(COUNTED_AT_MOST + 1)
        .subquery()
    )
    query = select(newest.c.reason_code, func.count()).group_by(newest.c.reason_code)
    return {row[0]: row[1] for row in session.execute(query)}
