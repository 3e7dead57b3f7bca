"""An item, an action on it and the trace it belongs to, as plain values (workflow.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.subjects import SubjectType, subject_of
from lotus_web.domain.items.transitions import ItemFacts
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind

# In the metadata of an item: how often it was escalated, and how often its review was requested if more than once.
ESCALATIONS = "escalation_count"
REQUESTS = "requests"


class Origin(StrEnum):
    """Whether an action row came from an event of the log or was recorded as an action of its own."""

    EVENT = "event"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """What the first event of a trace says of all that follows."""

    title: str
    workflow: str
    entity_type: str
    entity_id: str

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> TraceContext:
        """Read a TraceStarted payload."""
        entity = payload["primary_entity"]
        return cls(payload["title"], payload["workflow"], entity["entity_type"], entity["entity_id"])

    @property
    def portfolio_id(self) -> str | None:
        """The portfolio a trace is about, if it is about one."""
        return self.entity_id if self.entity_type == "portfolio" else None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A stored event as the fold reads it."""

    log_seq: int
    event_id: str
    tenant_id: str
    trace_id: str
    event_type: str
    occurred_at: datetime
    producer_id: str
    actor: Mapping[str, str]
    payload: Mapping[str, Any]
    applied_defaults: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What someone did to an item: resolved, so that folding it again needs no setting and no clock."""

    action_id: str
    tenant_id: str
    workflow_id: str
    trace_id: str
    action_type: Action
    origin: Origin
    actor_type: str
    actor_id: str
    surface: str
    from_status: ItemStatus
    to_status: ItemStatus
    after_log_seq: int
    occurred_at: datetime
    on_behalf_of: str | None = None
    reason_code: str | None = None
    text: str | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None
    source_event_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def decider_id(self) -> str:
        """The account that the action is attributed to."""
        return self.on_behalf_of or self.actor_id


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item as the fold of its events and actions; field for field what ``dg_workflow_items`` stores."""

    tenant_id: str
    workflow_id: str
    trace_id: str
    workflow_kind: WorkflowKind
    workflow_name: str
    subject_type: str
    subject_id: str
    status: ItemStatus
    priority: Priority
    title: str
    request_reason: str
    requested_by_type: str
    requested_by_id: str
    requested_at: datetime
    sla_due_at: datetime
    updated_at: datetime
    created_from_event_id: str
    last_source_log_seq: int
    version: int = 1
    rebalance_run_id: str | None = None
    portfolio_id: str | None = None
    policy_id: str | None = None
    policy_version: str | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None
    resolved_at: datetime | None = None
    claimed_at: datetime | None = None
    last_action_type: str | None = None
    last_action_at: datetime | None = None
    last_actor_id: str | None = None
    current_decision: str | None = None
    current_reason: str | None = None
    approval_event_id: str | None = None
    # Who made what the item is about, where that is known; four eyes then holds them back and not who asked.
    made_by: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether someone still has to decide."""
        return self.resolved_at is None

    @property
    def priority_rank(self) -> int:
        """The priority as a number, the most urgent first."""
        return int(self.priority)

    def overdue(self, now: datetime) -> bool:
        """Whether the item is open past its due time."""
        return self.is_open and self.sla_due_at < now

    @property
    def subject(self) -> SubjectType:
        """What kind of subject the item is about."""
        return subject_of(self.subject_type, run_id=self.rebalance_run_id)

    @property
    def facts(self) -> ItemFacts:
        """What the transition rules need."""
        return ItemFacts(
            workflow_id=self.workflow_id,
            status=self.status,
            workflow_kind=self.workflow_kind,
            subject=self.subject,
            assigned_account_id=self.assigned_account_id,
            claimed=self.claimed_at is not None,
        )
