"""The items that events open, as they are in their first moment (workflow.md §1, §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventDraft, EventType
from lotus_web.domain.items.state import ESCALATIONS, REQUESTS, ItemState, LoggedEvent, TraceContext
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType, item_id
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind
from lotus_web.domain.sla.deadlines import SLA_SETTING, WorkflowDefaults, due_at, explain_due


def run_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that the ExceptionRequested of a run recorded here opens.

    Only such an event ties an item to a run: the gate believes what this field says.
    """
    return replace(exception_item(event, trace), rebalance_run_id=event.payload["exception_id"])


def exception_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that an ExceptionRequested opens, with the hours and the role that were the defaults then."""
    payload = event.payload
    defaults = WorkflowDefaults.from_dict(event.applied_defaults)
    item = _new_item(
        event,
        trace,
        kind=WorkflowKind.EXCEPTION_REVIEW,
        subject=(SubjectType.EXCEPTION, payload["exception_id"]),
        hours=defaults.sla_hours(WorkflowKind.EXCEPTION_REVIEW),
        source=SLA_SETTING[WorkflowKind.EXCEPTION_REVIEW],
        priority=_priority(payload.get("priority")),
    )
    return replace(
        item,
        assigned_role=defaults.assigned_role,
        # A trace may hold runs of several portfolios (a batch does), so the run's own label counts before the trace's.
        title=payload.get("title") or trace.title,
        portfolio_id=payload.get("portfolio_id") or trace.portfolio_id,
        policy_id=payload["policy"]["policy_id"],
        policy_version=payload["policy"]["policy_version"],
        request_reason=payload["reason"],
        metadata={**item.metadata, "evidence": evidence_of(payload)},
    )


def review_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that a WorkflowReviewRequested opens, as its template says."""
    payload = event.payload
    kind = WorkflowKind(payload["workflow_kind"])
    hours, source = _hours_asked(event, kind)
    item = _new_item(
        event,
        trace,
        kind=kind,
        subject=(SubjectType.TRACE_REVIEW, payload["template_id"]),
        hours=hours,
        source=source,
        priority=_priority(payload["priority"]),
    )
    assignee = payload["assignee"]
    return replace(
        item,
        title=payload["title"],
        request_reason=payload["reason"],
        assigned_account_id=assignee.get("account_id"),
        assigned_role=assignee.get("role"),
    )


def proposal_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    """Return the item that the submission of a proposal recorded here opens, or opens again."""
    payload = event.payload
    evidence = evidence_of(payload)
    hours, source = _hours_asked(event, WorkflowKind.PROPOSAL_REVIEW)
    item = _new_item(
        event,
        trace,
        kind=WorkflowKind.PROPOSAL_REVIEW,
        subject=(SubjectType.PROPOSAL, payload["subject"]["subject_id"]),
        hours=hours,
        source=source,
        priority=_priority(payload["priority"]),
    )
    return replace(
        item,
        assigned_role=WorkflowDefaults.from_dict(event.applied_defaults).assigned_role,
        title=payload["title"],
        portfolio_id=payload.get("portfolio_id") or trace.portfolio_id,
        policy_id=payload["policy"]["policy_id"],
        policy_version=payload["policy"]["policy_version"],
        request_reason=payload["reason"],
        made_by=evidence.get("made_by"),
        metadata={**item.metadata, "evidence": evidence},
    )


def opened_again(item: ItemState, fresh: ItemState) -> ItemState:
    """Return an item whose review is requested once more: as new, but still the one that it is and with what is counted of it.

    Numbers of escalations and of requests go on, because they tell one notice from another.
    """
    counted = {key: value for key, value in item.metadata.items() if key == ESCALATIONS}
    return replace(
        fresh,
        version=item.version + 1,
        created_from_event_id=item.created_from_event_id,
        metadata={**fresh.metadata, **counted, REQUESTS: int(item.metadata.get(REQUESTS, 1)) + 1},
    )


def _hours_asked(event: LoggedEvent, kind: WorkflowKind) -> tuple[int, str]:
    """Return the hours that a request gives and whose they are; where it leaves them open, those of its kind on its day."""
    hours = event.payload["sla_hours"]
    if hours is None:
        return WorkflowDefaults.from_dict(event.applied_defaults).sla_hours(kind), SLA_SETTING[kind]
    return int(hours), f"template {event.payload['template_id']}"


def evidence_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the evidence that a payload names, empty where it is none."""
    evidence = payload.get("evidence")
    return evidence if isinstance(evidence, Mapping) else {}


def _priority(word: Any) -> Priority:
    try:
        return Priority.of(str(word))
    except KeyError:
        return Priority.NORMAL


def _new_item(
    event: LoggedEvent,
    trace: TraceContext,
    *,
    kind: WorkflowKind,
    subject: tuple[SubjectType, str],
    hours: int,
    source: str,
    priority: Priority,
) -> ItemState:
    return ItemState(
        tenant_id=event.tenant_id,
        workflow_id=item_id(event.trace_id, *subject),
        trace_id=event.trace_id,
        workflow_kind=kind,
        workflow_name=trace.workflow,
        subject_type=SUBJECTS[subject[0]].stored,
        subject_id=subject[1],
        status=ItemStatus.REQUESTED,
        priority=priority,
        title=trace.title,
        request_reason="",
        requested_by_type=event.actor["actor_type"],
        requested_by_id=event.actor["actor_id"],
        requested_at=event.occurred_at,
        sla_due_at=due_at(event.occurred_at, hours),
        updated_at=event.occurred_at,
        created_from_event_id=event.event_id,
        last_source_log_seq=event.log_seq,
        portfolio_id=trace.portfolio_id,
        metadata={"sla": explain_due(event.occurred_at, hours, source), "sla_hours": hours},
    )


@dataclass(frozen=True, slots=True)
class Opener:
    """How an event opens an item about one kind of subject: its type, where its payload names the subject, and the item.

    ``own`` is whether the event comes from this deployment (True), from elsewhere (False) or from either (None).
    ``in_subject`` says that the payload names the kind and the id under ``subject``: only then does the event open this kind.
    Where ``again`` holds, a further event opens the same item again, decided or not.
    """

    event_type: EventType
    subject_key: str
    opened: Callable[[LoggedEvent, TraceContext], ItemState]
    own: bool | None = None
    in_subject: bool = False
    again: bool = False

    def subject_id(self, payload: Mapping[str, Any]) -> str:
        """Return the id of the subject that a payload names."""
        holder = payload["subject"] if self.in_subject else payload
        return str(holder[self.subject_key])


OPENERS: Mapping[SubjectType, Opener] = {
    SubjectType.RUN: Opener(EventType.EXCEPTION_REQUESTED, "exception_id", run_item, own=True),
    SubjectType.EXCEPTION: Opener(EventType.EXCEPTION_REQUESTED, "exception_id", exception_item, own=False),
    SubjectType.TRACE_REVIEW: Opener(EventType.WORKFLOW_REVIEW_REQUESTED, "template_id", review_item),
    SubjectType.PROPOSAL: Opener(
        EventType.WORKFLOW_REVIEW_REQUESTED, "subject_id", proposal_item, own=True, in_subject=True, again=True
    ),
}
OPENING = frozenset(opener.event_type for opener in OPENERS.values())


def opened_by(event: EventDraft | LoggedEvent) -> SubjectType | None:
    """Return the kind of subject whose item an event opens; None for an event that opens none."""
    found = [subject for subject, opener in OPENERS.items() if _opens(opener, subject, event)]
    # What names its subject is about that; a review of its trace is what remains.
    return next((subject for subject in found if OPENERS[subject].in_subject), found[0] if found else None)


def _opens(opener: Opener, subject: SubjectType, event: EventDraft | LoggedEvent) -> bool:
    if opener.event_type != event.event_type or opener.own not in (None, event.producer_id == OWN_PRODUCER):
        return False
    return not opener.in_subject or event.payload["subject"]["subject_type"] == SUBJECTS[subject].stored
