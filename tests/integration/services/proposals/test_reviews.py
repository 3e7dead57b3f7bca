"""The review of a proposal is one item of the inbox: decided there or by an approval; whichever comes first is the one command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, Permission, Role
from lotus_web.domain.errors import Conflict, Forbidden, LotusError
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.four_eyes import FourEyes
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import status_after
from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.domain.surface import Surface
from lotus_web.models import EventLogEntry, Proposal, ProposalApproval, ProposalEventRow, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.queries.traces.timeline import item_timeline
from lotus_web.services.items.actions import ReviewAction, Reviewed, apply_action
from lotus_web.store.session import db, transaction
from tests.support.histories import ADA, assert_provable, differences, person, unguarded, verify
from tests.support.proposals import (
    ADVISER,
    LENIENT,
    RISK,
    approved,
    blocked,
    context_of,
    create_json,
    posted,
    proposed,
    versioned,
)

E, S, A = ProposalEvent, ProposalState, ApprovalType
INBOX = person("ines.ito", Role.REVIEWER)


@pytest.fixture(autouse=True)
def store(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def submitted(event: ProposalEvent = E.SUBMITTED_FOR_RISK_REVIEW) -> str:
    proposal_id = proposed().proposal_id
    posted(proposal_id, event)
    return proposal_id


def item(proposal_id: str) -> ItemState:
    db.session.rollback()
    return item_state(db.session.get_one(WorkflowItem, ("default", review_item_id(proposal_id))))


def in_inbox(
    proposal_id: str, action: Action, actor: Actor = INBOX, *, policy: DeploymentPolicy | None = None, **asked: Any
) -> Reviewed:
    given = {"text": "It fits the mandate.", "version": None} | asked
    context = replace(context_of(actor), surface=Surface.FORM)
    if policy is not None:
        context = replace(context, policy=policy)
    with transaction() as session:
        return apply_action(session, review_item_id(proposal_id), ReviewAction(action, **given), context)


def state(proposal_id: str) -> str:
    db.session.rollback()
    return str(db.session.scalar(select(Proposal.current_state).where(Proposal.proposal_id == proposal_id)))


def rows(model: Any, proposal_id: str) -> list[Any]:
    db.session.rollback()
    order = list(model.__mapper__.primary_key)
    return list(db.session.scalars(select(model).where(model.proposal_id == proposal_id).order_by(*order)))


def logged(proposal_id: str) -> list[str]:
    db.session.rollback()
    query = select(EventLogEntry.event_type).where(EventLogEntry.trace_id == proposal_id)
    return list(db.session.scalars(query.order_by(EventLogEntry.trace_seq)))


def test_a_submission_opens_an_item_that_says_what_there_is_to_decide() -> None:
    draft = proposed().proposal_id
    db.session.rollback()
    assert db.session.get(WorkflowItem, ("default", review_item_id(draft))) is None, "nobody has to decide a draft"
    found = item(submitted())
    assert (found.status, found.workflow_kind, found.subject_type) == ("requested", "proposal_review", "proposal")
    assert (found.requested_by_id, found.made_by, found.assigned_role) == ("leo.marti", "leo.marti", "reviewer")
    assert found.request_reason == "Version 1 was submitted for risk review."
    assert found.metadata["evidence"]["review"] == "RISK_REVIEW"
    assert found.metadata["evidence"]["rule_ids"], "new findings, by which precedents are found"
    assert found.policy_id == "advisory_rules"
    assert found.priority is Priority.NORMAL
    assert_provable()


@pytest.mark.parametrize(
    ("submission", "approval", "action", "event", "after", "status"),
    [
        (E.SUBMITTED_FOR_RISK_REVIEW, A.RISK, Action.APPROVE, E.RISK_APPROVED, S.AWAITING_CLIENT_CONSENT, "approved"),
        (E.SUBMITTED_FOR_RISK_REVIEW, A.RISK, Action.REJECT, E.REJECTED, S.REJECTED, "rejected"),
        (
            E.SUBMITTED_FOR_COMPLIANCE_REVIEW,
            A.COMPLIANCE,
            Action.APPROVE,
            E.COMPLIANCE_APPROVED,
            S.AWAITING_CLIENT_CONSENT,
            "approved",
        ),
        (E.SUBMITTED_FOR_COMPLIANCE_REVIEW, A.COMPLIANCE, Action.REJECT, E.REJECTED, S.REJECTED, "rejected"),
    ],
)
def test_a_decision_in_the_inbox_and_a_posted_approval_leave_the_same(
    submission: ProposalEvent,
    approval: ApprovalType,
    action: Action,
    event: ProposalEvent,
    after: ProposalState,
    status: str,
) -> None:
    by_inbox, by_approval = submitted(submission), submitted(submission)
    done = in_inbox(by_inbox, action, reason_code="WITHIN_MANDATE")
    told = approved(by_approval, approval, INBOX, given=action is Action.APPROVE, reason={"comment": "It fits."})
    assert isinstance(done.decided, ProposalEventRow)
    for proposal_id, event_id in ((by_inbox, done.decided.event_id), (by_approval, told.event_id)):
        (given,) = rows(ProposalApproval, proposal_id)
        last = rows(ProposalEventRow, proposal_id)[-1]
        assert (given.approval_type, given.approved, given.event_id) == (approval, after is not S.REJECTED, event_id)
        assert (last.event_id, last.event_type, last.actor_id, state(proposal_id)) == (
            event_id,
            event,
            "ines.ito",
            after,
        )
        assert (item(proposal_id).status, item(proposal_id).last_actor_id) == (status, "ines.ito")
        finished = ["TraceFinished"] if after is S.REJECTED else []
        assert logged(proposal_id)[-1 - len(finished) :] == ["ApprovalRecorded", *finished]
    assert rows(ProposalApproval, by_inbox)[0].details == {
        "comment": "It fits the mandate.",
        "reason_code": "WITHIN_MANDATE",
    }
    assert rows(ProposalApproval, by_approval)[0].details == {"comment": "It fits."}
    assert item(by_approval).current_reason == "It fits."
    assert_provable()


def test_a_rejection_posted_as_an_event_decides_the_item_and_is_no_approval() -> None:
    proposal_id = submitted()
    posted(proposal_id, E.REJECTED, INBOX, reason={"comment": "Too much of one issuer."})
    assert (state(proposal_id), item(proposal_id).status) == (S.REJECTED, "rejected")
    assert item(proposal_id).current_reason == "Too much of one issuer."
    assert rows(ProposalApproval, proposal_id) == []
    assert rows(ProposalEventRow, proposal_id)[-1].reason == {"comment": "Too much of one issuer."}
    assert_provable()


@pytest.mark.parametrize("details", [{}, {"comment": 7}, {"comment": "a\x07b"}, {"reason_code": "not a code"}])
def test_what_a_program_says_of_its_approval_is_free_and_no_reason_is_asked_of_it(details: dict[str, Any]) -> None:
    proposal_id = submitted()
    approved(proposal_id, A.RISK, reason=details)
    assert rows(ProposalApproval, proposal_id)[0].details == details
    (action,) = db.session.scalars(
        select(WorkflowAction).where(WorkflowAction.workflow_id == review_item_id(proposal_id))
    )
    assert (action.text, action.reason_code) == (None, "RISK_APPROVED")


def test_a_request_for_changes_leaves_the_proposal_in_review_until_a_new_version_withdraws_it_and_it_comes_again() -> (
    None
):
    proposal_id = submitted()
    in_inbox(proposal_id, Action.CLAIM, text=None)
    in_inbox(proposal_id, Action.REQUEST_CHANGE)
    assert (state(proposal_id), item(proposal_id).status) == (S.RISK_REVIEW, "changes_requested")
    versioned(proposal_id)
    gone = item(proposal_id)
    assert (state(proposal_id), gone.status, gone.is_open) == (S.DRAFT, ItemStatus.WITHDRAWN, False)
    assert gone.current_reason == "Version 2 replaced the version under review."
    assert gone.metadata["withdrawn_for"] == {"event_type": "NEW_VERSION_CREATED", "version_no": 2}
    with pytest.raises(Conflict, match="was withdrawn: approve is not possible now"):
        in_inbox(proposal_id, Action.APPROVE)
    posted(proposal_id, E.SUBMITTED_FOR_COMPLIANCE_REVIEW)
    again = item(proposal_id)
    assert (again.status, again.assigned_account_id, again.assigned_role) == ("requested", None, "reviewer")
    assert again.metadata["evidence"]["version_no"] == 2
    assert again.request_reason == "Version 2 was submitted for compliance review."
    assert again.sla_due_at > gone.sla_due_at
    in_inbox(proposal_id, Action.APPROVE)
    (given,) = rows(ProposalApproval, proposal_id)
    assert (given.approval_type, given.related_version_no) == ("COMPLIANCE", 2)
    assert_provable()


def test_a_cancelled_proposal_withdraws_its_review_and_a_rejected_or_consented_one_leaves_its_item_alone() -> None:
    proposal_id, consented = submitted(), submitted()
    posted(proposal_id, E.CANCELLED)
    assert (item(proposal_id).status, item(proposal_id).current_reason) == ("withdrawn", "The proposal was cancelled.")
    in_inbox(consented, Action.APPROVE)
    before = item(consented)
    approved(consented, A.CLIENT_CONSENT, ADVISER)
    posted(consented, E.EXECUTED)
    assert item(consented) == before
    assert_provable()


def test_a_version_that_keeps_the_state_is_reviewed_in_place_of_the_one_before() -> None:
    keeping = replace(LENIENT, keep_state=True)
    proposal_id = submitted()
    in_inbox(proposal_id, Action.CLAIM, text=None)
    seen = item(proposal_id)
    versioned(proposal_id, rules=keeping)
    renewed = item(proposal_id)
    assert (state(proposal_id), renewed.status, renewed.assigned_account_id) == (S.RISK_REVIEW, "requested", None)
    assert renewed.metadata["evidence"]["version_no"] == 2
    with pytest.raises(Conflict) as stale:
        in_inbox(proposal_id, Action.APPROVE, version=seen.version)
    assert stale.value.code == "version_conflict"
    assert_provable()


def test_an_approval_of_what_one_saw_before_a_new_version_is_refused() -> None:
    proposal_id = submitted()
    seen = item(proposal_id)
    versioned(proposal_id)
    posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW)
    with pytest.raises(Conflict) as stale:
        in_inbox(proposal_id, Action.APPROVE, version=seen.version)
    assert (stale.value.code, state(proposal_id)) == ("version_conflict", S.RISK_REVIEW)


def test_whoever_made_the_version_is_told_the_same_on_both_surfaces_and_may_reject_it() -> None:
    maker = replace(ADVISER, permissions=ADVISER.permissions | {Permission.WORKFLOW_REVIEW})
    proposal_id = submitted()
    with pytest.raises(Forbidden) as posting:
        approved(proposal_id, A.RISK, maker)
    with pytest.raises(Forbidden) as clicking:
        in_inbox(proposal_id, Action.APPROVE, maker)
    assert (posting.value.code, clicking.value.code) == ("FOUR_EYES", "four_eyes")
    assert str(posting.value) == str(clicking.value) == "leo.marti made version 1: someone else must approve it."
    assert rows(ProposalApproval, proposal_id) == []
    # An account that speaks for the maker is refused like the maker.
    behalf = replace(RISK, actor_id="bot", on_behalf_of="leo.marti")
    with pytest.raises(Forbidden, match=r"leo\.marti made version 1"):
        approved(proposal_id, A.RISK, behalf)
    in_inbox(proposal_id, Action.REJECT, maker)
    assert state(proposal_id) == S.REJECTED


def test_who_only_submitted_a_version_may_approve_it_and_a_setting_or_an_exempt_tenant_lifts_the_rule() -> None:
    both = replace(ADVISER, actor_id="uma.both", permissions=ADVISER.permissions | {Permission.WORKFLOW_REVIEW})
    proposal_id = proposed().proposal_id
    posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW, both)
    assert item(proposal_id).requested_by_id == "uma.both"
    in_inbox(proposal_id, Action.APPROVE, both)
    for rule in (FourEyes(proposals=False), FourEyes(exempt_tenants=frozenset({"default"}))):
        own = proposed(both).proposal_id
        posted(own, E.SUBMITTED_FOR_RISK_REVIEW, both)
        in_inbox(own, Action.APPROVE, both, policy=DeploymentPolicy(four_eyes=rule))
        assert state(own) == S.AWAITING_CLIENT_CONSENT


def at_once(app: Flask, *calls: Callable[[], Any]) -> list[str]:
    """Run commands at the same time, each in a thread with a session of its own; return ``done`` or the code of each."""
    ready = Barrier(len(calls))

    def attempt(call: Callable[[], Any]) -> str:
        with app.app_context():
            ready.wait(timeout=30)
            try:
                call()
            except LotusError as refused:
                return refused.code
            finally:
                db.session.remove()
            return "done"

    db.session.rollback()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(attempt, calls))


def test_of_an_approval_in_the_inbox_and_one_that_is_posted_at_once_one_wins(app: Flask) -> None:
    for _ in range(5):
        proposal_id = submitted()
        version = item(proposal_id).version
        told = at_once(
            app,
            partial(in_inbox, proposal_id, Action.APPROVE, version=version),
            partial(approved, proposal_id, A.RISK, state=S.RISK_REVIEW),
            partial(in_inbox, proposal_id, Action.REJECT, RISK, version=version),
        )
        assert told.count("done") == 1, told
        # The item has moved on for whoever decides it; the proposal has, for whoever names the state it was in.
        assert set(told) - {"done"} <= {"version_conflict", "STATE_CONFLICT: expected_state mismatch"}
        assert len(rows(ProposalApproval, proposal_id)) == 1
        assert logged(proposal_id).count("ApprovalRecorded") == 1
    assert_provable()


def test_of_a_decision_and_a_new_version_at_once_neither_is_lost(app: Flask) -> None:
    for _ in range(4):
        proposal_id = submitted()
        version = item(proposal_id).version
        told = at_once(
            app,
            partial(in_inbox, proposal_id, Action.APPROVE, version=version),
            partial(versioned, proposal_id),
        )
        found = item(proposal_id)
        # The version is always made: before the approval, which is then refused, or after it, which it voids.
        assert told in (["done", "done"], ["version_conflict", "done"])
        assert found.status == ("approved" if told[0] == "done" else "withdrawn")
        assert state(proposal_id) == S.DRAFT
    assert_provable()


def test_a_blocked_version_opens_no_item() -> None:
    proposal_id = proposed(**blocked(create_json())).proposal_id
    with pytest.raises(LotusError) as refused:
        posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW)
    assert refused.value.code == "PROPOSAL_BLOCKED"
    assert db.session.get(WorkflowItem, ("default", review_item_id(proposal_id))) is None


def test_what_is_done_to_the_record_of_a_review_is_found(app: Flask) -> None:
    proposal_id = submitted()
    versioned(proposal_id)
    posted(proposal_id, E.SUBMITTED_FOR_RISK_REVIEW)
    in_inbox(proposal_id, Action.APPROVE)
    assert app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"]).exit_code == 0
    with transaction() as session:
        session.execute(text("UPDATE dg_workflow_items SET status = 'withdrawn'"))
    assert any("status" in one for one in differences())
    assert app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"]).exit_code == 1
    with unguarded("dg_event_log") as session:
        session.execute(
            text(
                "UPDATE dg_event_log SET payload = replace(CAST(payload AS TEXT), 'approved', 'rejected')"
                " WHERE event_type = 'ApprovalRecorded'"
            )
        )
    assert not verify().intact
    assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 1


# How the item of a proposal gets into each open or decided status.
WAY: dict[ItemStatus, tuple[Action, ...]] = {
    ItemStatus.REQUESTED: (),
    ItemStatus.IN_REVIEW: (Action.CLAIM,),
    ItemStatus.CHANGES_REQUESTED: (Action.REQUEST_CHANGE,),
    ItemStatus.ESCALATED: (Action.ESCALATE,),
    ItemStatus.APPROVED: (Action.APPROVE,),
    ItemStatus.REJECTED: (Action.REJECT,),
}


def test_each_action_in_each_status_moves_the_proposal_by_a_decision_alone() -> None:
    """Each pair in a transaction that is undone: approve and reject move the proposal, all else leaves it where it is."""
    proposal_id, context = submitted(), context_of(ADA)
    name = review_item_id(proposal_id)

    def ask(session: Session, action: Action) -> None:
        apply_action(session, name, ReviewAction(action, text="As discussed.", assigned_role="manager"), context)

    for status, action in product(WAY, Action):
        with transaction() as session:
            for step in WAY[status]:
                ask(session, step)
            before = item_state(session.get_one(WorkflowItem, ("default", name)))
            stood = session.scalar(select(Proposal.current_state))
            expected = status_after(before.facts, action) if ACTIONS[action].offered else None
            if expected is None:
                with pytest.raises(Conflict) as refused:
                    ask(session, action)
                assert refused.value.code == "invalid_transition", (status, action)
                moved = stood
            else:
                ask(session, action)
                after = item_state(session.get_one(WorkflowItem, ("default", name), populate_existing=True))
                assert after.status is expected, (status, action)
                moved = {Action.APPROVE: S.AWAITING_CLIENT_CONSENT, Action.REJECT: S.REJECTED}.get(action, stood)
            session.expire_all()
            assert session.scalar(select(Proposal.current_state)) == moved, (status, action)
            session.rollback()


def test_earlier_reviews_of_the_same_findings_are_its_precedents() -> None:
    for action in (Action.APPROVE, Action.APPROVE, Action.REJECT):
        in_inbox(submitted(), action)
    versioned(withdrawn := submitted())
    waiting = item(submitted())
    found = item_precedents(db.session(), waiting, now=waiting.requested_at + timedelta(days=1))
    assert found.outcomes == {"approved": 2, "rejected": 1}
    assert review_item_id(withdrawn) not in {one.workflow_id for one in found.shown}


def test_the_timeline_says_what_became_of_each_version() -> None:
    proposal_id = submitted()
    in_inbox(proposal_id, Action.APPROVE)
    approved(proposal_id, A.CLIENT_CONSENT, ADVISER)
    posted(proposal_id, E.EXECUTED)
    name = review_item_id(proposal_id)
    told = [
        str(one.title) for one in item_timeline(db.session(), "default", trace_id=proposal_id, workflow_id=name).entries
    ]
    for words in (
        "made version 1",
        "requested a review",
        "approved",
        "recorded the client's consent to version 1",
        "recorded that version 1 was executed",
        "finished the trace: success",
    ):
        assert any(words in one for one in told), (words, told)
