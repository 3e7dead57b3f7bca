"""The review of a proposal is withdrawn and requested again as one item, which the rebuild gives back (workflow.md §2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.values import ItemStatus
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.surface import Surface
from lotus_web.models import WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.queries.sla.board import sla_board
from lotus_web.services.command import CommandContext
from lotus_web.services.items.next_item import claim_next_item
from lotus_web.services.sla import escalate, to_escalate
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    ADA,
    NORA,
    NOW,
    POLICY,
    act,
    assert_provable,
    contents,
    count,
    differences,
    later,
    refused,
    submitted,
    withdrawn,
)

ITEM = review_item_id("pp_1")


@pytest.fixture(autouse=True)
def submitted_proposal(app: Flask) -> Iterator[None]:
    with app.app_context():
        with transaction() as session:
            submitted(session, "pp_1")
        yield


def item(workflow_id: str = ITEM) -> ItemState:
    db.session.rollback()
    return item_state(db.session.get_one(WorkflowItem, ("default", workflow_id)))


def test_a_withdrawal_leaves_an_action_and_no_event_and_says_why() -> None:
    before = contents()
    with transaction() as session:
        assert withdrawn(session, "pp_1")
    assert contents() == before | {"dg_workflow_actions": before["dg_workflow_actions"] + 1}
    gone = item()
    assert (gone.status, gone.current_decision, gone.resolved_at) == (ItemStatus.WITHDRAWN, "withdrawn", NOW)
    assert gone.metadata["withdrawn_for"] == {"event_type": "NEW_VERSION_CREATED", "version_no": 2}
    with transaction() as session:
        assert not withdrawn(session, "pp_1"), "nothing is left to withdraw"
        assert not withdrawn(session, "pp_2"), "nor where nothing was asked"
    assert contents() == before | {"dg_workflow_actions": before["dg_workflow_actions"] + 1}
    assert_provable()


def test_nobody_withdraws_by_asking_for_it() -> None:
    before = contents()
    refusal = refused(lambda session: act(session, ITEM, Action.WITHDRAW, actor=ADA), Conflict)
    assert str(refusal) == "A review is withdrawn by what happens to its proposal, not by anyone here."
    assert contents() == before


def test_a_second_submission_is_the_same_item_with_a_new_clock_told_again() -> None:
    with transaction() as session:
        act(session, ITEM, Action.CLAIM)
        act(session, ITEM, Action.REQUEST_CHANGE, actor=NORA)
        withdrawn(session, "pp_1", now=later(1))
    told = count("dg_workflow_notifications", "category = 'assignment'")
    with transaction() as session:
        session.execute(text("UPDATE dg_workflow_items SET risk_told = true, breach_told = true"))
        submitted(session, "pp_1", 2, now=later(2))
    again = item()
    assert (again.status, again.sla_due_at, again.version) == (ItemStatus.REQUESTED, later(6), 5)
    assert (again.assigned_account_id, again.assigned_role, again.claimed_at) == (None, "reviewer", None)
    assert count("dg_workflow_notifications", "category = 'assignment'") == told + 1
    assert count("dg_workflow_items", "risk_told OR breach_told") == 0, "the new due time is warned of again"
    assert_provable()


def test_a_late_review_is_escalated_and_after_another_submission_once_more() -> None:
    for round_ in (0, 24):
        late = later(round_ + 5)
        with transaction() as session:
            (key,) = to_escalate(session, now=late, limit=10)
            assert escalate(session, key, now=late, policy=POLICY)
            assert to_escalate(session, now=late, limit=10) == []
        assert (item().status, item().assigned_role) == (ItemStatus.ESCALATED, "manager")
        with transaction() as session:
            submitted(session, "pp_1", 2, now=later(round_ + 24))
    assert count("dg_workflow_notifications", "category = 'escalation'") == 2
    assert_provable()


def test_what_is_lost_of_withdrawals_and_renewals_is_named_and_rebuilt(app: Flask) -> None:
    with transaction() as session:
        withdrawn(session, "pp_1", now=later(1))
        submitted(session, "pp_1", 2, now=later(2))
        submitted(session, "pp_2")
        withdrawn(session, "pp_2", now=later(3))
    before = [item(), item(review_item_id("pp_2"))]
    with transaction() as session:
        session.execute(
            text("UPDATE dg_workflow_items SET status = 'requested', resolved_at = NULL, made_by = 'nobody'")
        )
    db.session.rollback()
    checked = app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"])
    assert checked.exit_code == 1
    assert f"item {review_item_id('pp_2')}: " in checked.output
    assert "made_by" in checked.output
    assert app.test_cli_runner().invoke(args=["workflow", "rebuild"]).exit_code == 0
    assert [item(), item(review_item_id("pp_2"))] == before
    assert differences() == []


def test_a_withdrawn_review_is_no_decision_of_the_day_and_no_precedent() -> None:
    with transaction() as session:
        submitted(session, "pp_2")
        withdrawn(session, "pp_1", now=later(1))
        board = sla_board(session, "default", now=later(2), soon_minutes=30)
        assert (board.open, board.decided[-1].count, board.times.sampled) == (1, 0, 0)
        other = item_state(session.get_one(WorkflowItem, ("default", review_item_id("pp_2"))))
        assert item_precedents(session, other, now=later(2)).shown == ()


def test_the_next_item_is_never_a_proposal_of_ones_own_but_may_be_one_that_one_submitted() -> None:
    def next_of(name: str) -> str | None:
        actor = Actor(ActorType.SERVICE_ACCOUNT, name, "default", frozenset(Permission))
        with transaction() as session:
            context = CommandContext(actor, Surface.API, "c", NOW + timedelta(minutes=1), POLICY)
            claimed = claim_next_item(session, context)
            session.rollback()
        return None if claimed is None else claimed.item.workflow_id

    assert item().requested_by_id == "credit-bot"
    assert next_of("ana.adler") is None, "she made the version"
    assert next_of("credit-bot") == ITEM
    assert next_of("nora.lind") == ITEM
