"""The state machine of proposals: the whole product of states and events, walks, and approvals (proposals-api §3.1)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.proposals.states import (
    APPROVALS,
    NEEDS_APPROVAL,
    OPEN,
    TERMINAL,
    ApprovalType,
    ProposalEvent,
    ProposalState,
    approval_due,
    approval_event,
    state_after,
    state_after_new_version,
)

S, E = ProposalState, ProposalEvent
# The table of the contract, written down a second time.
STEPS = {
    ("DRAFT", "SUBMITTED_FOR_RISK_REVIEW", "RISK_REVIEW"),
    ("DRAFT", "SUBMITTED_FOR_COMPLIANCE_REVIEW", "COMPLIANCE_REVIEW"),
    ("RISK_REVIEW", "RISK_APPROVED", "AWAITING_CLIENT_CONSENT"),
    ("RISK_REVIEW", "REJECTED", "REJECTED"),
    ("COMPLIANCE_REVIEW", "COMPLIANCE_APPROVED", "AWAITING_CLIENT_CONSENT"),
    ("COMPLIANCE_REVIEW", "REJECTED", "REJECTED"),
    ("AWAITING_CLIENT_CONSENT", "CLIENT_CONSENT_RECORDED", "EXECUTION_READY"),
    ("AWAITING_CLIENT_CONSENT", "REJECTED", "REJECTED"),
    ("EXECUTION_READY", "EXECUTED", "EXECUTED"),
    ("EXECUTION_READY", "EXPIRED", "EXPIRED"),
    ("DRAFT", "CANCELLED", "CANCELLED"),
    ("RISK_REVIEW", "CANCELLED", "CANCELLED"),
    ("COMPLIANCE_REVIEW", "CANCELLED", "CANCELLED"),
    ("AWAITING_CLIENT_CONSENT", "CANCELLED", "CANCELLED"),
    ("EXECUTION_READY", "CANCELLED", "CANCELLED"),
}


def test_the_full_product_of_states_and_events() -> None:
    known = {
        (state.value, event.value, after.value)
        for state, event in product(S, E)
        if (after := state_after(state, event)) is not None
    }
    assert known == STEPS


def test_nothing_leaves_a_terminal_state() -> None:
    for state in TERMINAL:
        assert all(state_after(state, event) is None for event in E)
        assert state_after_new_version(state, keep_state=False) is None
        assert state_after_new_version(state, keep_state=True) is None


@pytest.mark.parametrize("approval", ApprovalType)
def test_an_approval_leads_on_only_from_where_it_is_due(approval: ApprovalType) -> None:
    due = APPROVALS[approval].due_in
    assert approval_due(due) is approval
    for state in S:
        given = state_after(state, approval_event(approval, approved=True))
        assert (given is not None) is (state is due)
    assert state_after(due, approval_event(approval, approved=False)) is S.REJECTED


def test_states_that_wait_for_nobody() -> None:
    assert [state for state in S if approval_due(state) is None] == [S.DRAFT, S.EXECUTION_READY, *sorted_terminal()]


def sorted_terminal() -> list[ProposalState]:
    return [state for state in S if state in TERMINAL]


@given(st.lists(st.sampled_from(E), max_size=12))
def test_nothing_is_executed_without_a_review_and_a_consent(events: list[ProposalEvent]) -> None:
    state, passed = S.DRAFT, []
    for event in events:
        after = state_after(state, event)
        if after is not None:
            state = after
            passed.append(event)
    if state is S.EXECUTED:
        assert E.CLIENT_CONSENT_RECORDED in passed
        assert NEEDS_APPROVAL & set(passed) - {E.CLIENT_CONSENT_RECORDED}


def test_a_new_version_starts_again_unless_the_state_is_kept() -> None:
    for state in OPEN:
        assert state_after_new_version(state, keep_state=False) is S.DRAFT
        assert state_after_new_version(state, keep_state=True) is state
