"""Items, actions and notifications as JSON documents, and recorded actions back from theirs (workflow.md §2, §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import ActionRecord, ItemState, Origin
from lotus_web.domain.items.values import ItemStatus


def instant(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 text in UTC, always with microseconds."""
    return None if value is None else value.isoformat(timespec="microseconds")


def item_document(item: ItemState, *, now: datetime) -> dict[str, Any]:
    """Return an item as JSON; ``now`` decides whether it is overdue."""
    return {
        "workflow_id": item.workflow_id,
        "tenant_id": item.tenant_id,
        "trace_id": item.trace_id,
        "workflow_kind": item.workflow_kind.value,
        "workflow_name": item.workflow_name,
        "subject": {"subject_type": item.subject_type, "subject_id": item.subject_id},
        "status": item.status.value,
        "priority": item.priority.word,
        "title": item.title,
        "request_reason": item.request_reason,
        "rebalance_run_id": item.rebalance_run_id,
        "portfolio_id": item.portfolio_id,
        "policy_id": item.policy_id,
        "policy_version": item.policy_version,
        "requested_by_actor": {"actor_type": item.requested_by_type, "actor_id": item.requested_by_id},
        "assigned_account_id": item.assigned_account_id,
        "assigned_role": item.assigned_role,
        "requested_at": instant(item.requested_at),
        "sla_due_at": instant(item.sla_due_at),
        "updated_at": instant(item.updated_at),
        "resolved_at": instant(item.resolved_at),
        "claimed_at": instant(item.claimed_at),
        "last_action_type": item.last_action_type,
        "last_action_at": instant(item.last_action_at),
        "last_actor_id": item.last_actor_id,
        "current_decision": item.current_decision,
        "current_reason": item.current_reason,
        "approval_event_id": item.approval_event_id,
        "created_from_event_id": item.created_from_event_id,
        "last_source_log_seq": item.last_source_log_seq,
        "metadata": dict(item.metadata),
        "overdue": item.overdue(now),
        "version": item.version,
    }


def action_document(record: ActionRecord) -> dict[str, Any]:
    """Return an action as JSON; nothing of it is left out, so that ``action_of_document`` gives it back."""
    return {
        "action_id": record.action_id,
        "tenant_id": record.tenant_id,
        "workflow_id": record.workflow_id,
        "trace_id": record.trace_id,
        "action_type": record.action_type.value,
        "origin": record.origin.value,
        "actor": {"actor_type": record.actor_type, "actor_id": record.actor_id},
        "on_behalf_of": record.on_behalf_of,
        "surface": record.surface,
        "reason_code": record.reason_code,
        "reason": record.text,
        "from_status": record.from_status.value,
        "to_status": record.to_status.value,
        "assigned_account_id": record.assigned_account_id,
        "assigned_role": record.assigned_role,
        "source_event_id": record.source_event_id,
        "after_log_seq": record.after_log_seq,
        "occurred_at": instant(record.occurred_at),
        "payload": dict(record.details),
    }


def action_of_document(document: Mapping[str, Any]) -> ActionRecord:
    """Return the action of an ``action_document``; raises KeyError, TypeError or ValueError for anything else."""
    same = ("action_id", "tenant_id", "workflow_id", "trace_id", "surface", "after_log_seq", "on_behalf_of")
    also = ("reason_code", "assigned_account_id", "assigned_role", "source_event_id")
    return ActionRecord(
        **{name: document[name] for name in (*same, *also)},
        action_type=Action(document["action_type"]),
        origin=Origin(document["origin"]),
        actor_type=document["actor"]["actor_type"],
        actor_id=document["actor"]["actor_id"],
        text=document["reason"],
        from_status=ItemStatus(document["from_status"]),
        to_status=ItemStatus(document["to_status"]),
        occurred_at=datetime.fromisoformat(document["occurred_at"]),
        details=document["payload"],
    )
