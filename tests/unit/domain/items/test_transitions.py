"""The item's state machine: the full product of status, action, kind and origin against the contract's table (workflow.md §2)."""

from __future__ import annotations

from itertools import product

import pytest

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput
from lotus_web.domain.items.actions import ACTIONS, OFFERED, Action
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.domain.items.transitions import (
    TEXT_MAX,
    ItemFacts,
    check_action,
    check_ever_possible,
    check_free_text,
    next_status,
    offered_phrase,
    override_phrase,
    refusal,
    status_after,
    why_not,
)
from lotus_web.domain.items.values import OPEN, TERMINAL, ItemStatus, WorkflowKind
from tests.support.histories import ADA, MARA, NORA, TOMAS, VIEW, person

S, A = ItemStatus, Action
# Nobody has it; someone was given it; someone claimed it.
NOBODY, GIVEN, CLAIMED = (None, False), (NORA.actor_id, False), (NORA.actor_id, True)
EVERY_KIND = list(product(WorkflowKind, SubjectType, (NOBODY, GIVEN, CLAIMED)))

# The contract's table, written down a second time by hand: "any open" spelt out, the gate's reopenings for runs only.
EXPECTED = {
    (S.REQUESTED, A.CLAIM): S.IN_REVIEW,
    (S.CHANGES_REQUESTED, A.CLAIM): S.IN_REVIEW,
    (S.ESCALATED, A.CLAIM): S.ESCALATED,
    (S.IN_REVIEW, A.CLAIM): S.IN_REVIEW,
    (S.IN_REVIEW, A.RELEASE): S.REQUESTED,
    (S.REQUESTED, A.ESCALATE): S.ESCALATED,
    (S.IN_REVIEW, A.ESCALATE): S.ESCALATED,
    (S.CHANGES_REQUESTED, A.ESCALATE): S.ESCALATED,
    **{(status, A.APPROVE): S.APPROVED for status in OPEN},
    **{(status, A.REJECT): S.REJECTED for status in OPEN},
    **{(status, A.REQUEST_CHANGE): S.CHANGES_REQUESTED for status in OPEN},
    **{(status, A.REASSIGN): status for status in OPEN},
    **{(status, A.OVERRIDE): S.OVERRIDDEN for status in OPEN},
    **{(status, A.COMMENT): status for status in S},
    **{(status, A.WITHDRAW): S.WITHDRAWN for status in OPEN},
}
EXPECTED_OF_RUNS = EXPECTED | {
    (S.APPROVED, A.REJECT): S.REJECTED,
    (S.APPROVED, A.REQUEST_CHANGE): S.CHANGES_REQUESTED,
    (S.REJECTED, A.REQUEST_CHANGE): S.CHANGES_REQUESTED,
}


def facts(
    status: ItemStatus,
    kind: WorkflowKind = WorkflowKind.EXCEPTION_REVIEW,
    *,
    subject: SubjectType = SubjectType.EXCEPTION,
    held_by: str | None = None,
    claimed: bool = False,
) -> ItemFacts:
    return ItemFacts("t:exception:x", status, kind, subject, held_by, claimed)


def expected(
    status: ItemStatus, action: Action, kind: WorkflowKind, subject: SubjectType, hold: tuple[str | None, bool]
) -> ItemStatus | None:
    if status is S.IN_REVIEW and (action, hold) in ((A.CLAIM, CLAIMED), (A.RELEASE, NOBODY)):
        return None
    if action is A.OVERRIDE and kind is not WorkflowKind.EXCEPTION_REVIEW:
        return None
    if action is A.WITHDRAW and kind is not WorkflowKind.PROPOSAL_REVIEW:
        return None
    return (EXPECTED_OF_RUNS if subject is SubjectType.RUN else EXPECTED).get((status, action))


@pytest.mark.parametrize(("status", "action"), list(product(S, A)))
def test_the_tables_allow_what_the_contract_lists_and_nothing_else(status: ItemStatus, action: Action) -> None:
    for kind, subject, hold in EVERY_KIND:
        item = facts(status, kind, subject=subject, held_by=hold[0], claimed=hold[1])
        after = expected(status, action, kind, subject, hold)
        assert status_after(item, action) is after, (kind, subject, hold)
        if after is None:
            with pytest.raises(Conflict) as refused:
                next_status(item, action)
            assert refused.value.code == "invalid_transition"
            assert refused.value.sentence == refusal(item, action)
            assert refused.value.message.endswith(".")
        else:
            assert next_status(item, action) is after, (kind, subject, hold)


def test_nobody_withdraws_a_review_whatever_its_kind_and_their_rights() -> None:
    assert A.WITHDRAW not in OFFERED
    for kind in WorkflowKind:
        with pytest.raises(Conflict) as refused:
            check_ever_possible(facts(S.REQUESTED, kind), A.WITHDRAW)
        assert refused.value.message == ("A review is withdrawn by what happens to its proposal, not by anyone here.")


def test_every_status_is_open_or_terminal_and_none_is_both() -> None:
    assert set(S) == OPEN | TERMINAL
    assert not OPEN & TERMINAL


def test_nothing_leads_out_of_an_override_but_words() -> None:
    for action in A:
        assert status_after(facts(S.OVERRIDDEN, subject=SubjectType.RUN), action) is (
            S.OVERRIDDEN if action is A.COMMENT else None
        )


@pytest.mark.parametrize("action", A)
def test_who_may_is_asked_before_whether_it_is_possible(action: Action) -> None:
    with pytest.raises(Forbidden) as refused:
        check_action(facts(S.OVERRIDDEN), VIEW, action)
    assert refused.value.details == {"permission": ACTIONS[action].permission.value}


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        (A.APPROVE, {Role.REVIEWER, Role.MANAGER, Role.ADMIN}),
        (A.ESCALATE, {Role.REVIEWER, Role.MANAGER, Role.ADMIN}),
        (A.REASSIGN, {Role.MANAGER, Role.ADMIN}),
        (A.OVERRIDE, {Role.ADMIN}),
    ],
)
def test_roles_may_what_the_contract_grants_them(action: Action, roles: set[Role]) -> None:
    may = {role for role in Role if person("someone", role).may(ACTIONS[action].permission)}
    assert may == roles


def test_a_hold_is_released_by_its_holder_or_who_may_assign() -> None:
    held = facts(S.IN_REVIEW, held_by=NORA.actor_id)
    assert check_action(held, NORA, A.RELEASE) is S.REQUESTED
    assert check_action(held, MARA, A.RELEASE) is S.REQUESTED
    with pytest.raises(Conflict) as refused:
        check_action(held, TOMAS, A.RELEASE)
    assert refused.value.details == {"assigned_account_id": NORA.actor_id}


def test_what_is_in_review_is_claimed_by_whoever_it_is_left_to() -> None:
    left, given = facts(S.IN_REVIEW), facts(S.IN_REVIEW, held_by=NORA.actor_id)
    assert check_action(left, TOMAS, A.CLAIM) is S.IN_REVIEW
    assert str(why_not(left, MARA, A.RELEASE)) == "This item is unassigned: release is not possible now."
    assert check_action(given, NORA, A.CLAIM) is S.IN_REVIEW
    assert str(why_not(given, TOMAS, A.CLAIM)) == "This item is held by nora.lind."
    claimed = facts(S.IN_REVIEW, held_by=NORA.actor_id, claimed=True)
    for someone in (NORA, TOMAS, MARA):
        assert str(why_not(claimed, someone, A.CLAIM)) == "This item is in review: claim is not possible now."


def test_only_what_can_be_overridden_has_a_phrase() -> None:
    assert offered_phrase(facts(S.REQUESTED)) == "OVERRIDE T:EXCEPTION:X"
    assert offered_phrase(facts(S.REQUESTED, WorkflowKind.INCIDENT_REVIEW)) is None


def test_the_phrase_of_an_override_is_the_id_in_capitals() -> None:
    assert override_phrase("corr-1:exception:rr_0a") == "OVERRIDE CORR-1:EXCEPTION:RR_0A"


@pytest.mark.parametrize("bad", ["\x00", "a\x07b", "\ud800", "x" * (TEXT_MAX + 1)])
def test_text_that_cannot_be_shown_or_stored_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        check_free_text(bad)


@pytest.mark.parametrize("good", ["", "zwei\nZeilen\tmit Tab", "größer als 5 %", "x" * TEXT_MAX])
def test_text_that_people_write_is_taken_as_it_is(good: str) -> None:
    assert check_free_text(good) == good


def test_an_admin_holds_every_permission_but_speaking_for_others() -> None:
    assert ADA.permissions == frozenset(Permission) - {Permission.ACT_ON_BEHALF}
