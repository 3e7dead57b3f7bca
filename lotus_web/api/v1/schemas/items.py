"""What the routes of review items give: the item, its actions, its context (workflow.md §2, §4, §6)."""

from __future__ import annotations

from typing import Any, Self

from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.api.v1.schemas.notifications import NotificationAnswer
from lotus_web.api.v1.schemas.traces import TraceReferenceAnswer
from lotus_web.domain.items.precedents import Precedents


class SubjectAnswer(Answer):
    """What an item is about."""

    subject_type: str
    subject_id: str


class ActorAnswer(Answer):
    """An account and its kind."""

    actor_type: str
    actor_id: str


class WorkflowAnswer(Answer):
    """An item; ``current_reason`` is what its decider wrote, else what their reason code says in plain words."""

    workflow_id: str
    tenant_id: str
    trace_id: str
    workflow_kind: str
    workflow_name: str
    subject: SubjectAnswer
    status: str
    priority: str
    title: str
    request_reason: str
    rebalance_run_id: str | None
    portfolio_id: str | None
    policy_id: str | None
    policy_version: str | None
    requested_by_actor: ActorAnswer
    assigned_account_id: str | None
    assigned_role: str | None
    requested_at: str
    sla_due_at: str
    updated_at: str
    resolved_at: str | None
    claimed_at: str | None
    last_action_type: str | None
    last_action_at: str | None
    last_actor_id: str | None
    current_decision: str | None
    current_reason: str | None
    approval_event_id: str | None
    created_from_event_id: str
    last_source_log_seq: int
    metadata: dict[str, Any]
    overdue: bool
    version: int


class ActionAnswer(Answer):
    """An action on an item; ``origin`` is ``event`` for one that came from an event of the log.

    ``through`` is the account that says who acted, null where they acted themselves.
    """

    action_id: str
    tenant_id: str
    workflow_id: str
    trace_id: str
    action_type: str
    origin: str
    actor: ActorAnswer
    on_behalf_of: str | None
    through: str | None
    surface: str
    reason_code: str | None
    reason: str | None
    from_status: str
    to_status: str
    assigned_account_id: str | None
    assigned_role: str | None
    source_event_id: str | None
    after_log_seq: int
    occurred_at: str
    payload: dict[str, Any]


class ActedAnswer(Answer):
    """An action that was taken and the item after it."""

    action: ActionAnswer
    workflow: WorkflowAnswer


class SummaryAnswer(Answer):
    """The open items under the list's filters, counted."""

    open: int
    overdue: int
    due_soon: int
    unassigned: int
    by_status: dict[str, int]
    by_priority: dict[str, int]


class WorkflowListAnswer(Answer):
    """A page of items; ``filters`` are those in force."""

    items: list[WorkflowAnswer]
    next_cursor: str | None
    summary: SummaryAnswer
    filters: dict[str, Any]


class PrecedentAnswer(Answer):
    """An earlier decided item; ``match`` is ``rules`` or ``portfolio``, ``reason`` as an item's ``current_reason``."""

    workflow_id: str
    title: str
    portfolio_id: str | None
    outcome: str
    reason: str | None
    decided_by: str | None
    decided_through: str | None
    requested_at: Stamp
    decided_at: Stamp
    seconds: int
    match: str


class PrecedentsAnswer(Answer):
    """Earlier decisions on items like this, and what they say together."""

    sentence: str
    counted: int
    outcomes: dict[str, int]
    median_seconds: int | None
    divergent: bool
    items: list[PrecedentAnswer]

    @classmethod
    def of(cls, found: Precedents) -> Self:
        """Return precedents as they are sent."""
        fields = (name for name in PrecedentAnswer.model_fields if name != "match")
        names = tuple(fields)
        return cls(
            sentence=found.sentence,
            counted=found.counted,
            outcomes=dict(found.outcomes),
            median_seconds=found.median_seconds,
            divergent=found.divergent,
            items=[
                PrecedentAnswer(
                    **{name: getattr(one, name) for name in names}, match="rules" if one.same_rules else "portfolio"
                )
                for one in found.shown
            ],
        )


class ChoiceAnswer(Answer):
    """An action and whether the caller could take it now."""

    action: str
    permission: str
    allowed: bool
    why_not: str | None


class SlaAnswer(Answer):
    """A due time and how it was computed."""

    due_at: Stamp
    overdue: bool
    clock_started_at: str
    hours: int
    source: str


class ClaimAnswer(Answer):
    """Who holds an item and until when, if they stay silent."""

    holder: str
    claimed_at: Stamp
    expires_at: Stamp


class ReviewContextAnswer(Answer):
    """What a decision rests on; ``rules`` are the violations that the policy found."""

    reason: str
    policy_id: str | None
    policy_version: str | None
    rules: list[dict[str, Any]]
    evidence: dict[str, Any]
    run_status: str | None
    precedents: PrecedentsAnswer
    actions: list[ChoiceAnswer]
    override_phrase: str | None
    shown_digest: str
    evidence_digest: str
    sla: SlaAnswer
    claim: ClaimAnswer | None


class WorkflowDetailAnswer(Answer):
    """An item with its history and its context."""

    workflow: WorkflowAnswer
    actions: list[ActionAnswer]
    notifications: list[NotificationAnswer]
    review_context: ReviewContextAnswer
    trace_reference: TraceReferenceAnswer
