"""The review of a proposal in the fold: opened, withdrawn, opened again, and rebuilt to the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.payloads import check_payload
from lotus_web.domain.events.projection import WITHDRAWN_FOR, Effect, fold_action, fold_event
from lotus_web.domain.events.rebuild import rebuild_trace
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.precedents import precedent_key
from lotus_web.domain.items.state import ActionRecord, ItemState, LoggedEvent, Origin, TraceContext
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.domain.items.transitions import status_after
from lotus_web.domain.items.values import OPEN, ItemStatus, Priority, WorkflowKind
from lotus_web.domain.proposals.reviews import ReviewedVersion, review_item_id, review_requested
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from tests.support.histories import NOW, approved, later

PROPOSAL = "pp_000000000001"
STARTED = {
    "workflow": "proposal",
    "title": "More equity",
    "primary_entity": {"entity_type": "portfolio", "entity_id": "PF-1"},
}
TRACE = TraceContext.from_payload(STARTED)
VERSION = ReviewedVersion(
    proposal_id=PROPOSAL,
    version_no=1,
    version_id="ppv_1",
    engine_version="1.0.0",
    portfolio_id="PF-1",
    title="More equity",
    artifact_hash="sha256:one",
    made_by="ana.adler",
    state=ProposalState.RISK_REVIEW,
    findings=("SINGLE_POSITION_MAX", "CASH_BAND"),
)


def logged(event_type: EventType, payload: dict[str, Any], *, seq: int = 2, **changes: Any) -> LoggedEvent:
    values: dict[str, Any] = {
        "log_seq": seq,
        "event_id": f"evt-{seq}",
        "tenant_id": "default",
        "trace_id": PROPOSAL,
        "event_type": event_type.value,
        "occurred_at": NOW,
        "producer_id": OWN_PRODUCER,
        "actor": {"actor_type": "person", "actor_id": "omar.haddad"},
        "payload": payload,
        "applied_defaults": WorkflowDefaults().as_dict(),
    }
    return LoggedEvent(**{**values, **changes})


def asked(seq: int = 2, *, version: ReviewedVersion = VERSION, **changes: Any) -> LoggedEvent:
    return logged(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(version), seq=seq, **changes)


def fold(item: ItemState | None, event: LoggedEvent) -> Effect:
    effect = fold_event(item, event, TRACE, opened_by=None if item is None else OWN_PRODUCER)
    assert effect is not None
    return effect


def recorded(item: ItemState, action: Action, *, after: ItemStatus | None = None, **changes: Any) -> ActionRecord:
    values: dict[str, Any] = {
        "action_id": f"act-{item.version}",
        "tenant_id": item.tenant_id,
        "workflow_id": item.workflow_id,
        "trace_id": item.trace_id,
        "action_type": action,
        "origin": Origin.MANUAL,
        "actor_type": "person",
        "actor_id": "nora.lind",
        "surface": "form",
        "from_status": item.status,
        "to_status": after or status_after(item.facts, action),
        "after_log_seq": item.last_source_log_seq,
        "occurred_at": later(1),
        "text": "why",
        "details": {WITHDRAWN_FOR: {"version_no": 2}} if action is Action.WITHDRAW else {},
    }
    return ActionRecord(**{**values, **changes})


def test_a_submission_opens_an_item_by_the_defaults_of_its_day() -> None:
    check_payload(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(VERSION))
    defaults = WorkflowDefaults(proposal_review_sla_hours=7, assigned_role="manager").as_dict()
    effect = fold(None, asked(applied_defaults=defaults))
    item = effect.item
    assert item.workflow_id == review_item_id(PROPOSAL) == f"{PROPOSAL}:proposal:{PROPOSAL}"
    assert (item.subject, item.workflow_kind) == (SubjectType.PROPOSAL, WorkflowKind.PROPOSAL_REVIEW)
    assert (item.status, item.assigned_role, item.sla_due_at) == (ItemStatus.REQUESTED, "manager", later(7))
    assert item.metadata["sla"]["source"] == "LOTUS_PROPOSAL_REVIEW_SLA_HOURS"
    assert (item.title, item.portfolio_id, item.priority) == ("More equity", "PF-1", Priority.NORMAL)
    assert (item.requested_by_id, item.made_by) == ("omar.haddad", "ana.adler")
    assert [notice.recipient_role for notice in effect.notices] == ["manager"]


def test_reviews_of_the_same_findings_are_precedents_of_each_other() -> None:
    one = fold(None, asked()).item
    other = fold(
        None, asked(version=replace(VERSION, proposal_id="pp_2", findings=("CASH_BAND", "SINGLE_POSITION_MAX")))
    ).item
    else_ = fold(None, asked(version=replace(VERSION, findings=("CASH_BAND",)))).item
    keys = [precedent_key(item.policy_id, item.metadata) for item in (one, other, else_)]
    assert keys[0] == keys[1] != keys[2]
    assert None not in keys


@pytest.mark.parametrize("status", sorted(OPEN))
def test_a_withdrawal_closes_an_open_item_and_says_what_for(status: ItemStatus) -> None:
    item = replace(fold(None, asked()).item, status=status)
    gone = fold_action(item, recorded(item, Action.WITHDRAW, text="Version 2 replaced version 1.")).item
    assert (gone.status, gone.resolved_at, gone.version) == (ItemStatus.WITHDRAWN, later(1), item.version + 1)
    assert (gone.current_reason, gone.metadata[WITHDRAWN_FOR]) == ("Version 2 replaced version 1.", {"version_no": 2})


@pytest.mark.parametrize("way", [Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.WITHDRAW, Action.CLAIM])
def test_a_second_request_opens_the_same_item_again_as_new(way: Action) -> None:
    first = fold(None, asked())
    held = fold_action(first.item, recorded(first.item, Action.CLAIM, assigned_account_id="nora.lind")).item
    item = held if way is Action.CLAIM else fold_action(held, recorded(held, way)).item
    late = {"occurred_at": later(9), "actor": {"actor_type": "person", "actor_id": "ana.adler"}}
    effect = fold(item, asked(8, version=replace(VERSION, version_no=2, made_by="omar.haddad"), **late))
    again = effect.item
    assert again.workflow_id == item.workflow_id
    assert (again.status, again.version) == (ItemStatus.REQUESTED, item.version + 1)
    assert (again.requested_at, again.sla_due_at, again.requested_by_id) == (later(9), later(13), "ana.adler")
    assert (again.resolved_at, again.claimed_at, again.current_decision, again.current_reason) == (None,) * 4
    assert (again.assigned_account_id, again.assigned_role) == (None, "reviewer")
    assert (again.made_by, again.metadata["evidence"]["version_no"]) == ("omar.haddad", 2)
    assert WITHDRAWN_FOR not in again.metadata
    assert again.created_from_event_id == first.item.created_from_event_id
    assert {notice.dedupe_key for notice in effect.notices}.isdisjoint(n.dedupe_key for n in first.notices)


def test_escalations_are_counted_on_so_that_each_is_told() -> None:
    item = fold(None, asked()).item
    keys = []
    for seq in (3, 4):
        effect = fold_action(item, recorded(item, Action.ESCALATE, assigned_role="manager"))
        keys += [notice.dedupe_key for notice in effect.notices]
        item = fold(effect.item, asked(seq)).item
    assert len(set(keys)) == 2


def test_another_system_neither_opens_nor_renews_nor_decides_the_review_of_a_proposal() -> None:
    item = fold(None, asked()).item
    outside = asked(3, producer_id="credit-producer")
    assert fold_event(None, outside, TRACE, opened_by=None).item.subject is SubjectType.TRACE_REVIEW  # type: ignore[union-attr]
    assert fold_event(item, outside, TRACE, opened_by=OWN_PRODUCER) is None
    verdict = logged(EventType.APPROVAL_RECORDED, approved("proposal", PROPOSAL), seq=3, producer_id="credit-producer")
    assert fold_event(item, verdict, TRACE, opened_by=OWN_PRODUCER) is None
    own = fold(item, replace(verdict, producer_id=OWN_PRODUCER)).item
    assert own.status is ItemStatus.APPROVED


STEPS = st.lists(
    st.sampled_from(
        ["submit", "approve", "reject", *(action.value for action in Action if action is not Action.OVERRIDE)]
    ),
    max_size=14,
)


@given(STEPS)
def test_any_history_refolds_to_the_item_that_it_made(steps: list[str]) -> None:
    """Whatever is possible step by step, folded at once, gives the same item, versions without a gap and no difference."""
    events, manual, item, seq = [logged(EventType.TRACE_STARTED, STARTED, seq=1)], [], None, 1
    for number, step in enumerate(steps):
        at = later(number)
        if step == "submit":
            seq += 1
            events.append(asked(seq, occurred_at=at))
            item = fold(item, events[-1]).item
        elif item is not None and step in ("approve", "reject"):
            verdict = approved("proposal", PROPOSAL, f"{step}{'d' if step == 'approve' else 'ed'}")
            event = logged(EventType.APPROVAL_RECORDED, verdict, seq=seq + 1, occurred_at=at)
            effect = fold_event(item, event, TRACE, opened_by=OWN_PRODUCER)
            if effect is not None:
                seq += 1
                events.append(event)
                item = effect.item
        elif item is not None and (after := status_after(item.facts, Action(step))) is not None:
            how = {"action_id": f"act-{number}", "after_log_seq": seq, "occurred_at": at}
            manual.append(recorded(item, Action(step), after=after, assigned_role="manager", **how))
            item = fold_action(item, manual[-1]).item
    whole = rebuild_trace(events, manual)
    assert whole.inconsistencies == []
    assert whole.items == ({} if item is None else {item.workflow_id: item})
