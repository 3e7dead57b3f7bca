"""Precedents: earlier decisions on the same failing rules of the same policy, then on the same portfolio."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue
from lotus_web.domain.items.precedents import Precedent, Precedents, precedent_key, seconds_between, summarise
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.values import ItemStatus
from lotus_web.models import WorkflowItem
from lotus_web.queries.decisions.outcomes import ItemDecision, latest_decisions

SHOWN = 8
COUNTED_AT_MOST = 200
# How far back a portfolio is searched for decisions on other rules.
PORTFOLIO_REACH = 200

_COUNTED = (
    WorkflowItem.workflow_id,
    WorkflowItem.current_decision.label("outcome"),
    WorkflowItem.requested_at,
    WorkflowItem.resolved_at.label("decided_at"),
)
_COLUMNS = (
    WorkflowItem.workflow_id,
    WorkflowItem.title,
    WorkflowItem.portfolio_id,
    WorkflowItem.current_decision.label("outcome"),
    WorkflowItem.current_reason.label("reason"),
    WorkflowItem.requested_at,
    WorkflowItem.resolved_at.label("decided_at"),
)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the outcomes and the median are taken from."""

    workflow_id: str
    outcome: str
    seconds: int


def item_precedents(session: Session, item: ItemState, *, now: datetime, codes: Catalogue = REASON_CODES) -> Precedents:
    """Return the precedents of an item: what was decided before it was, or before now while it is open. Four queries."""
    return find_precedents(
        session,
        item.tenant_id,
        key=precedent_key(item.policy_id, item.metadata),
        portfolio_id=item.portfolio_id,
        before=item.resolved_at or now,
        besides=item.workflow_id,
        codes=codes,
    )


def find_precedents(
    session: Session,
    tenant_id: str,
    *,
    key: str | None,
    portfolio_id: str | None,
    before: datetime,
    besides: str | None,
    codes: Catalogue = REASON_CODES,
) -> Precedents:
    """Return earlier decided items, newest first: those with the same key, then those of the same portfolio.

    Outcomes and the median count the newest ``COUNTED_AT_MOST`` with the same key, which an index answers without the rows:
    on a large store each of them lies on a page of its own.
    """
    decided: list[ColumnElement[bool]] = [
        WorkflowItem.tenant_id == tenant_id,
        WorkflowItem.resolved_at < before,
        WorkflowItem.workflow_id != (besides or ""),
        # Nobody decided what was withdrawn.
        WorkflowItem.current_decision != ItemStatus.WITHDRAWN.value,
    ]
    same_rules = _same_rules(session, [*decided, WorkflowItem.precedent_key == key]) if key is not None else []
    shown = _shown(session, tenant_id, [one.workflow_id for one in same_rules[:SHOWN]])
    if portfolio_id is not None and len(shown) < SHOWN:
        known = {one.workflow_id for one in same_rules}
        shown += _of_portfolio(session, decided, portfolio_id, known)[: SHOWN - len(shown)]
    decisions = latest_decisions(session, tenant_id, (one.workflow_id for one in shown), codes)
    shown = [_with_decision(one, decisions[one.workflow_id]) if one.workflow_id in decisions else one for one in shown]
    return summarise(shown, ((one.outcome, one.seconds) for one in same_rules))


def _with_decision(one: Precedent, decision: ItemDecision) -> Precedent:
    reason = one.reason or decision.reason
    return replace(one, decided_by=decision.decided_by, decided_through=decision.through, reason=reason)


def _same_rules(session: Session, conditions: list[ColumnElement[bool]]) -> list[_Counted]:
    query = (
        select(*_COUNTED)
        .where(*conditions)
        .order_by(WorkflowItem.resolved_at.desc(), WorkflowItem.workflow_id.desc())
        .limit(COUNTED_AT_MOST)
    )
    return [
        _Counted(row.workflow_id, row.outcome, seconds_between(row.requested_at, row.decided_at))
        for row in session.execute(query)
    ]


def _shown(session: Session, tenant_id: str, workflow_ids: list[str]) -> list[Precedent]:
    """Return the named items in the order of their names; no query for none."""
    if not workflow_ids:
        return []
    query = select(*_COLUMNS).where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id.in_(workflow_ids))
    found = {
        row.workflow_id: Precedent(**row._mapping, decided_by=None, same_rules=True) for row in session.execute(query)
    }
    return [found[workflow_id] for workflow_id in workflow_ids if workflow_id in found]


def _of_portfolio(
    session: Session, decided: list[ColumnElement[bool]], portfolio_id: str, known: set[str]
) -> list[Precedent]:
    """Return a portfolio's decided items by the time of request, which its index is in, and then by decision."""
    query = (
        select(*_COLUMNS)
        .where(*decided, WorkflowItem.portfolio_id == portfolio_id)
        .order_by(WorkflowItem.requested_at.desc(), WorkflowItem.workflow_id.desc())
        .limit(PORTFOLIO_REACH)
    )
    found = [Precedent(**row._mapping, decided_by=None, same_rules=False) for row in session.execute(query)]
    fresh = [one for one in found if one.workflow_id not in known]
    return sorted(fresh, key=lambda one: (one.decided_at, one.workflow_id), reverse=True)
