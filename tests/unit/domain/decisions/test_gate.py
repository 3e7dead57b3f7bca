"""The gate of RFC-0020: its table in full, and that the item's table never says otherwise."""

from __future__ import annotations

from itertools import product

import pytest

from lotus_web.domain.decisions.gate import (
    ITEM_ACTION,
    GateAction,
    GateStatus,
    check_gate_transition,
    check_reason_code,
    gate_status,
    priority_of,
    requires_review,
)
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.domain.items.transitions import ItemFacts, status_after
from lotus_web.domain.items.values import ItemStatus, Priority, WorkflowKind

G, D = GateStatus, GateAction
EXPECTED = {
    (G.PENDING_REVIEW, D.APPROVE): G.APPROVED,
    (G.PENDING_REVIEW, D.REJECT): G.REJECTED,
    (G.APPROVED, D.REJECT): G.REJECTED,
    (G.PENDING_REVIEW, D.REQUEST_CHANGES): G.PENDING_REVIEW,
    (G.APPROVED, D.REQUEST_CHANGES): G.PENDING_REVIEW,
    (G.REJECTED, D.REQUEST_CHANGES): G.PENDING_REVIEW,
}


@pytest.mark.parametrize(("status", "action"), list(product(G, D)))
def test_the_gate_allows_what_the_contract_lists_and_nothing_else(status: GateStatus, action: GateAction) -> None:
    after = EXPECTED.get((status, action))
    if after is not None:
        assert check_gate_transition(status, action, None) is after
        return
    with pytest.raises(Conflict) as refused:
        check_gate_transition(status, action, None)
    off = status is G.NOT_REQUIRED
    assert refused.value.code == (
        "DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS" if off else "DPM_WORKFLOW_INVALID_TRANSITION"
    )


@pytest.mark.parametrize(("status", "action"), list(product(ItemStatus, D)))
def test_gate_and_item_never_disagree_on_a_run(status: ItemStatus, action: GateAction) -> None:
    item = ItemFacts("t:exception:x", status, WorkflowKind.EXCEPTION_REVIEW, SubjectType.RUN, None)
    item_after = status_after(item, ITEM_ACTION[action])
    gate = gate_status(required=True, item_status=status)
    if item_after is None:
        with pytest.raises(Conflict):
            check_gate_transition(gate, action, status)
    else:
        assert check_gate_transition(gate, action, status) is gate_status(required=True, item_status=item_after)


@pytest.mark.parametrize("action", D)
def test_an_override_is_final_at_the_gate(action: GateAction) -> None:
    assert gate_status(required=True, item_status=ItemStatus.OVERRIDDEN) is G.APPROVED
    with pytest.raises(Conflict, match="DPM_WORKFLOW_INVALID_TRANSITION"):
        check_gate_transition(G.APPROVED, action, ItemStatus.OVERRIDDEN)


def test_a_required_run_without_an_item_is_pending_and_any_other_is_not_required() -> None:
    assert gate_status(required=True, item_status=None) is G.PENDING_REVIEW
    assert {gate_status(required=False, item_status=status) for status in (None, *ItemStatus)} == {G.NOT_REQUIRED}


@pytest.mark.parametrize(
    ("enabled", "status", "needed"), [(True, "BLOCKED", True), (True, "READY", False), (False, "BLOCKED", False)]
)
def test_review_is_required_where_the_workflow_is_on_and_names_the_status(
    enabled: bool, status: str, needed: bool
) -> None:
    assert requires_review(status, enabled=enabled, review_statuses=("BLOCKED",)) is needed


def test_the_two_vocabularies_of_decisions_map_onto_each_other() -> None:
    assert {ACTIONS[ITEM_ACTION[action]].gate for action in D} == set(D)
    assert ACTIONS[Action.OVERRIDE].gate is None


@pytest.mark.parametrize("good", ["A", "CASH_PLANNED", "R2", "A" * 128])
def test_reason_codes_are_upper_snake_case(good: str) -> None:
    assert check_reason_code(good) == good


@pytest.mark.parametrize("bad", ["", "cash", "_A", "2A", "A B", "A\n", "Ä", "A" * 129])
def test_other_reason_codes_are_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        check_reason_code(bad)


def test_blocked_runs_come_before_broken_soft_rules_and_those_before_the_rest() -> None:
    assert priority_of("BLOCKED", soft_failures=0) is Priority.URGENT
    assert priority_of("PENDING_REVIEW", soft_failures=2) is Priority.HIGH
    assert priority_of("PENDING_REVIEW", soft_failures=0) is Priority.NORMAL
