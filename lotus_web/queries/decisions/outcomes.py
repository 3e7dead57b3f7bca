"""Who decided items and why: the text that the person wrote or, without one, the words of the reason code.

The words of a code are a setting and may change, so they are no part of an item: they are looked up when it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import voucher
from lotus_web.domain.decisions.reason_codes import REASON_CODES, Catalogue, reason_text
from lotus_web.domain.items.actions import DECIDING, Action
from lotus_web.domain.items.state import ItemState
from lotus_web.models import EventLogEntry, WorkflowAction


def reason_shown(action: Action, *, text: str | None, code: str | None, codes: Catalogue = REASON_CODES) -> str | None:
    """Return the reason of a decision: its text, else the words of its code; None without either."""
    return text or (reason_text(action, code, codes) if code else None)


_DECISION = (
    WorkflowAction.workflow_id,
    WorkflowAction.action_type,
    WorkflowAction.actor_id,
    WorkflowAction.on_behalf_of,
    WorkflowAction.text,
    WorkflowAction.reason_code,
    EventLogEntry.posted_by,
)


@dataclass(frozen=True, slots=True)
class ItemDecision:
    """Who decided an item (the person, where an account acted on their behalf), and the reason if there is one.

    ``through`` is the account that vouches for that name, None where they decided themselves.
    """

    decided_by: str
    reason: str | None
    through: str | None = None


def latest_decisions(
    session: Session, tenant_id: str, workflow_ids: Iterable[str], codes: Catalogue = REASON_CODES
) -> Mapping[str, ItemDecision]:
    """Return the last decision on each item that has one, by id; one query, none for no ids.

    Who did something to an item last need not have decided it: what is decided can still be commented on.
    """
    ids = list(workflow_ids)
    if not ids:
        return {}
    query = (
        select(*_DECISION)
        .outerjoin(
            EventLogEntry,
            and_(
                EventLogEntry.tenant_id == WorkflowAction.tenant_id,
                EventLogEntry.event_id == WorkflowAction.source_event_id,
            ),
        )
        .where(
            WorkflowAction.tenant_id == tenant_id,
            WorkflowAction.workflow_id.in_(ids),
            WorkflowAction.action_type.in_(sorted(action.value for action in DECIDING)),
        )
        .order_by(WorkflowAction.workflow_id, WorkflowAction.action_seq)
    )
    return {
        row.workflow_id: ItemDecision(
            row.on_behalf_of or row.actor_id,
            reason_shown(Action(row.action_type), text=row.text, code=row.reason_code, codes=codes),
            voucher(row.actor_id, row.on_behalf_of, row.posted_by),
        )
        for row in session.execute(query)
    }


def with_reasons(session: Session, items: Sequence[ItemState], codes: Catalogue = REASON_CODES) -> list[ItemState]:
    """Return items of one tenant with why they were decided in ``current_reason``; at most one query."""
    coded = [item for item in items if item.current_decision and not item.current_reason]
    if not coded:
        return list(items)
    decisions = latest_decisions(session, coded[0].tenant_id, (item.workflow_id for item in coded), codes)
    reasons = {workflow_id: decision.reason for workflow_id, decision in decisions.items()}
    return [replace(item, current_reason=item.current_reason or reasons.get(item.workflow_id)) for item in items]
