"""The fold: what each event and action makes of an item, and what foreign events cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.projection import Effect, fold_action, fold_event, target_workflow_id
from lotus_web.domain.events.rebuild import rebuild_trace
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import ActionRecord, ItemState, LoggedEvent, Origin, TraceContext
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind
from lotus_web.domain.notifications import NoticeCategory
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from tests.support.histories import NOW, STARTED, approved, later, requested, review_requested

FOLDED = {"ExceptionRequested", "ApprovalRecorded", "WorkflowReviewRequested"}
TRACE = TraceContext.from_payload(STARTED)


def logged(event_type: EventType, payload: dict[str, Any], *, seq: int = 1, **changes: Any) -> LoggedEvent:
    values: dict[str, Any] = {
        "log_seq": seq,
        "event_id": f"evt-{seq}",
        "tenant_id": "default",
        "trace_id": "trace-1",
        "event_type": event_type.value,
        "occurred_at": NOW,
        "producer_id": "credit-producer",
        "actor": {"actor_type": "service_account", "actor_id": "credit-bot"},
        "payload": payload,
        "applied_defaults": WorkflowDefaults().as_dict(),
    }
    return LoggedEvent(**{**values, **changes})


def fold(item: ItemState | None, event: LoggedEvent, *, opened_by: str | None = "credit-producer") -> Effect | None:
    return fold_event(item, event, TRACE, opened_by=opened_by)


def effect_of(item: ItemState | None, event: LoggedEvent) -> Effect:
    effect = fold(item, event)
    assert effect is not None
    return effect


def opened(**changes: Any) -> ItemState:
    return effect_of(None, logged(EventType.EXCEPTION_REQUESTED, requested(), **changes)).item


def done(item: ItemState, action: Action, to_status: ItemStatus, **changes: Any) -> Effect:
    values: dict[str, Any] = {
        "action_id": f"act_{action}",
        "tenant_id": item.tenant_id,
        "workflow_id": item.workflow_id,
        "trace_id": item.trace_id,
        "action_type": action,
        "origin": Origin.MANUAL,
        "actor_type": "person",
        "actor_id": "nora.lind",
        "surface": "form",
        "from_status": item.status,
        "to_status": to_status,
        "after_log_seq": 1,
        "occurred_at": later(1),
        "text": "why",
    }
    return fold_action(item, ActionRecord(**{**values, **changes}))


def test_an_exception_request_opens_an_item_with_the_clock_and_role_of_its_day() -> None:
    defaults = WorkflowDefaults(exception_review_sla_hours=9, assigned_role="manager").as_dict()
    effect = effect_of(None, logged(EventType.EXCEPTION_REQUESTED, requested(), applied_defaults=defaults))
    item = effect.item
    assert item.workflow_id == "trace-1:exception:ex-1"
    assert (item.status, item.workflow_kind, item.version) == (ItemStatus.REQUESTED, WorkflowKind.EXCEPTION_REVIEW, 1)
    assert (item.sla_due_at, item.assigned_role) == (later(9), "manager")
    assert (item.title, item.workflow_name, item.portfolio_id) == ("Limit of Aare AG", "credit", None)
    assert [notice.category for notice in effect.notices] == [NoticeCategory.ASSIGNMENT]


def test_only_the_house_itself_ties_an_item_to_a_run() -> None:
    assert opened().rebalance_run_id is None
    assert opened(producer_id=OWN_PRODUCER).rebalance_run_id == "ex-1"


def test_the_label_of_the_request_counts_before_the_label_of_the_trace() -> None:
    payload = requested(title="Rebalance PF-2", portfolio_id="PF-2")
    item = effect_of(None, logged(EventType.EXCEPTION_REQUESTED, payload)).item
    assert (item.title, item.portfolio_id) == ("Rebalance PF-2", "PF-2")


def test_a_review_request_opens_an_item_as_its_template_says() -> None:
    item = effect_of(None, logged(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested())).item
    assert item.workflow_id == "trace-1:trace_review:incident_triage"
    assert (item.workflow_kind, item.priority, item.sla_due_at) == (
        WorkflowKind.INCIDENT_REVIEW,
        Priority.HIGH,
        later(2),
    )
    assert item.assigned_role == "admin"


@pytest.mark.parametrize(
    "event_type",
    [event_type for event_type in EventType if event_type.value not in FOLDED],
)
def test_every_other_event_is_a_line_in_the_timeline_and_no_more(event_type: EventType) -> None:
    event = logged(event_type, {"exception_id": "ex-1", **approved("exception", "ex-1")})
    assert target_workflow_id(event) is None
    assert fold(opened(), event) is None


def test_a_second_request_for_the_same_item_changes_nothing() -> None:
    assert fold(opened(), logged(EventType.EXCEPTION_REQUESTED, requested(), seq=2)) is None


@pytest.mark.parametrize(("decision", "status"), [("approved", ItemStatus.APPROVED), ("rejected", ItemStatus.REJECTED)])
def test_a_recorded_approval_closes_the_item_and_tells_who_asked(decision: str, status: ItemStatus) -> None:
    event = logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1", decision, reason="fine"), seq=2)
    effect = effect_of(opened(), event)
    assert (effect.item.status, effect.item.resolved_at, effect.item.version) == (status, NOW, 2)
    assert (effect.item.current_decision, effect.item.current_reason) == (status.value, "fine")
    assert effect.action is not None
    assert (effect.action.origin, effect.action.source_event_id, effect.action.decider_id) == (
        Origin.EVENT,
        "evt-2",
        "greta.simon",
    )
    assert [notice.recipient_account_id for notice in effect.notices] == ["credit-bot"]


def test_an_approval_of_an_item_that_is_closed_changes_nothing() -> None:
    closed = effect_of(opened(), logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1"), seq=2)).item
    again = logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1", "rejected"), seq=3)
    assert fold(closed, again) is None


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_a_foreign_event_never_decides_what_the_house_opened(decision: str) -> None:
    run = opened(producer_id=OWN_PRODUCER)
    asked = logged(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(), producer_id=OWN_PRODUCER)
    studio = effect_of(None, asked).item
    for item, subject in (
        (run, ("exception", "ex-1")),
        (run, ("override", run.workflow_id)),
        (studio, ("trace_review", "incident_triage")),
    ):
        event = logged(EventType.APPROVAL_RECORDED, approved(*subject, decision), seq=2)
        assert fold(item, event, opened_by=OWN_PRODUCER) is None
        assert fold(item, replace(event, producer_id=OWN_PRODUCER), opened_by=OWN_PRODUCER) is not None
        assert fold(item, replace(event, producer_id=OWN_PRODUCER)) is not None


def test_a_refold_knows_who_opened_what() -> None:
    studio = logged(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(), seq=2, producer_id=OWN_PRODUCER)
    history = [
        logged(EventType.TRACE_STARTED, STARTED),
        studio,
        logged(EventType.EXCEPTION_REQUESTED, requested(), seq=3),
        logged(EventType.APPROVAL_RECORDED, approved("trace_review", "incident_triage"), seq=4),
        logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1"), seq=5),
    ]
    items = rebuild_trace(history, []).items
    assert {name: item.status for name, item in items.items()} == {
        "trace-1:trace_review:incident_triage": ItemStatus.REQUESTED,
        "trace-1:exception:ex-1": ItemStatus.APPROVED,
    }


def test_nothing_is_decided_before_it_was_asked() -> None:
    early = logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1"), seq=2, occurred_at=later(-5))
    effect = effect_of(opened(), early)
    assert effect.item.resolved_at == effect.item.requested_at == NOW
    assert effect.action is not None
    assert effect.action.occurred_at == later(-5)


def test_an_override_closes_exception_reviews_and_no_other_kind() -> None:
    exception, review = opened(), effect_of(None, logged(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested())).item
    overriding = logged(EventType.APPROVAL_RECORDED, approved("override", exception.workflow_id), seq=2)
    assert effect_of(exception, overriding).item.status is ItemStatus.OVERRIDDEN
    overriding = logged(EventType.APPROVAL_RECORDED, approved("override", review.workflow_id), seq=2)
    assert fold(review, overriding) is None


def test_an_event_of_one_trace_does_not_close_an_item_of_another() -> None:
    item = opened()
    event = logged(EventType.APPROVAL_RECORDED, approved("override", item.workflow_id), seq=2, trace_id="trace-2")
    assert target_workflow_id(event) == item.workflow_id
    assert fold(item, event) is None


def test_a_claim_takes_and_a_release_gives_back() -> None:
    claimed = done(opened(), Action.CLAIM, ItemStatus.IN_REVIEW, assigned_account_id="nora.lind").item
    assert (claimed.assigned_account_id, claimed.assigned_role, claimed.claimed_at) == (
        "nora.lind",
        "reviewer",
        later(1),
    )
    released = done(claimed, Action.RELEASE, ItemStatus.REQUESTED).item
    assert (released.assigned_account_id, released.assigned_role, released.claimed_at) == (None, "reviewer", None)


def test_a_reassignment_tells_the_new_holder_and_keeps_the_role_if_none_is_named() -> None:
    effect = done(opened(), Action.REASSIGN, ItemStatus.REQUESTED, assigned_account_id="tomas.roth")
    assert (effect.item.assigned_account_id, effect.item.assigned_role) == ("tomas.roth", "reviewer")
    assert [notice.recipient_account_id for notice in effect.notices] == ["tomas.roth"]


def test_an_escalation_counts_and_remembers_who_held_it() -> None:
    held = done(opened(), Action.CLAIM, ItemStatus.IN_REVIEW, assigned_account_id="nora.lind").item
    effect = done(held, Action.ESCALATE, ItemStatus.ESCALATED, assigned_role="manager")
    assert effect.item.metadata["escalation_count"] == 1
    assert effect.item.metadata["previous_assignment"] == {"account_id": "nora.lind", "role": "reviewer"}
    assert (effect.item.assigned_account_id, effect.item.assigned_role) == (None, "manager")
    assert [notice.dedupe_key for notice in effect.notices] == ["escalation:trace-1:exception:ex-1:1"]


def test_a_request_for_changes_reopens_a_closed_run_with_a_new_clock() -> None:
    item = opened(producer_id=OWN_PRODUCER)
    closed = done(item, Action.APPROVE, ItemStatus.APPROVED).item
    assert not closed.is_open
    again = done(closed, Action.REQUEST_CHANGE, ItemStatus.CHANGES_REQUESTED, occurred_at=later(30)).item
    assert (again.resolved_at, again.approval_event_id, again.sla_due_at) == (None, None, later(34))
    still = done(item, Action.REQUEST_CHANGE, ItemStatus.CHANGES_REQUESTED, occurred_at=later(3)).item
    assert still.sla_due_at == item.sla_due_at


def test_a_comment_on_a_closed_item_leaves_its_decision_alone() -> None:
    closed = done(opened(), Action.REJECT, ItemStatus.REJECTED, text="no").item
    after = done(closed, Action.COMMENT, ItemStatus.REJECTED, text="seen", occurred_at=later(9)).item
    assert (after.current_reason, after.resolved_at, after.version) == ("no", closed.resolved_at, closed.version + 1)


def test_a_trace_refolds_in_the_order_of_log_and_actions() -> None:
    history = [
        logged(EventType.TRACE_STARTED, STARTED, seq=1),
        logged(EventType.EXCEPTION_REQUESTED, requested(), seq=2),
        logged(EventType.APPROVAL_RECORDED, approved("exception", "ex-1"), seq=5),
    ]
    item = rebuild_trace(history[:2], []).items["trace-1:exception:ex-1"]
    claim = ActionRecord(
        "a1",
        "default",
        item.workflow_id,
        "trace-1",
        Action.CLAIM,
        Origin.MANUAL,
        "person",
        "n",
        "form",
        ItemStatus.REQUESTED,
        ItemStatus.IN_REVIEW,
        4,
        NOW,
        assigned_account_id="n",
    )
    note = replace(
        claim,
        action_id="a2",
        action_type=Action.COMMENT,
        from_status=ItemStatus.APPROVED,
        to_status=ItemStatus.APPROVED,
        after_log_seq=5,
    )
    whole = rebuild_trace(history, [claim, note])
    assert whole.inconsistencies == []
    assert (whole.items[item.workflow_id].status, whole.items[item.workflow_id].version) == (ItemStatus.APPROVED, 4)
    assert next(iter(whole.actions.values())).from_status is ItemStatus.IN_REVIEW


def test_an_action_that_does_not_fit_its_item_is_named() -> None:
    history = [
        logged(EventType.TRACE_STARTED, STARTED, seq=1),
        logged(EventType.EXCEPTION_REQUESTED, requested(), seq=2),
    ]
    item = rebuild_trace(history, []).items["trace-1:exception:ex-1"]
    lost = ActionRecord(
        "a1",
        "default",
        "trace-1:exception:none",
        "trace-1",
        Action.COMMENT,
        Origin.MANUAL,
        "person",
        "n",
        "form",
        ItemStatus.REQUESTED,
        ItemStatus.REQUESTED,
        2,
        NOW,
    )
    odd = replace(lost, action_id="a2", workflow_id=item.workflow_id, from_status=ItemStatus.ESCALATED)
    assert [sentence.split(":")[0] for sentence in rebuild_trace(history, [lost, odd]).inconsistencies] == [
        "action a1",
        "action a2",
    ]
