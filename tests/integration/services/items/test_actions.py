"""Acting on an item: every status, action, kind and origin; what a refusal leaves; what each action leaves (workflow.md §2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType, Permission, Role
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput, LotusError, NotFound
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import ACTIONS, Action, Text
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.transitions import status_after
from lotus_web.domain.items.values import ItemStatus, WorkflowKind
from lotus_web.models import Decision, LineageEdge, WorkflowAction, WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.services.items import actions as items_actions
from lotus_web.services.items import subjects as items_subjects
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    ADA,
    EVENTS,
    MARA,
    NORA,
    STARTED,
    TOMAS,
    VIEW,
    act,
    append,
    assert_provable,
    contents,
    count,
    event,
    hire,
    person,
    record,
    refused,
    requested,
    review_requested,
    workflow_id,
)

S, A = ItemStatus, Action
RUN = workflow_id(1)
# How an item gets into each status.
WAY = {
    S.REQUESTED: (),
    S.IN_REVIEW: (A.CLAIM,),
    S.CHANGES_REQUESTED: (A.REQUEST_CHANGE,),
    S.ESCALATED: (A.ESCALATE,),
    S.APPROVED: (A.APPROVE,),
    S.REJECTED: (A.REJECT,),
    S.OVERRIDDEN: (A.OVERRIDE,),
}
KINDS = {
    (WorkflowKind.EXCEPTION_REVIEW, True): RUN,
    (WorkflowKind.EXCEPTION_REVIEW, False): "trace-1:exception:ex-1",
    (WorkflowKind.INCIDENT_REVIEW, False): "trace-1:trace_review:incident_triage",
}


@pytest.fixture(autouse=True)
def items(app: Flask) -> Iterator[None]:
    """An inbox with one item of each kind."""
    with app.app_context():
        with transaction() as session:
            record(session, 1)
            append(session, event(EventType.TRACE_STARTED, STARTED))
            append(session, event(EventType.EXCEPTION_REQUESTED, requested()))
            append(session, event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested()))
        yield


def item(workflow: str = RUN) -> ItemState:
    db.session.rollback()
    row = db.session.get(WorkflowItem, ("default", workflow), populate_existing=True)
    assert row is not None
    return item_state(row)


def acted(action: Action, workflow: str = RUN, **asked: Any) -> items_actions.Reviewed:
    with transaction() as session:
        return act(session, workflow, action, **{"actor": ADA, **asked})


def assert_refused(kind: type[LotusError], action: Action, workflow: str = RUN, **asked: Any) -> LotusError:
    before, was = contents(), item(workflow)
    refusal = refused(lambda session: act(session, workflow, action, **{"actor": ADA, **asked}), kind)
    assert contents() == before
    assert item(workflow) == was
    assert isinstance(refusal, LotusError)
    return refusal


@pytest.mark.parametrize(("kind", "is_run"), KINDS)
def test_the_full_product_of_statuses_and_actions_does_what_the_tables_say_and_nothing_else(
    kind: WorkflowKind, is_run: bool
) -> None:
    """Each pair in a transaction that is undone, so that every one starts from the same item."""
    workflow = KINDS[kind, is_run]
    for status, action in product(WAY, A):
        if status is S.OVERRIDDEN and kind is not WorkflowKind.EXCEPTION_REVIEW:
            continue
        with transaction() as session:
            for step in WAY[status]:
                act(session, workflow, step, actor=ADA)
            before = item_state(session.get_one(WorkflowItem, ("default", workflow)))
            assert before.status is status
            expected = status_after(before.facts, action)
            events, actions, decisions = _counts(session)
            if expected is None:
                with pytest.raises(Conflict, match=r"not possible now|Only exception|is withdrawn by") as refusal:
                    act(session, workflow, action, actor=ADA)
                assert refusal.value.code == "invalid_transition"
                assert item_state(session.get_one(WorkflowItem, ("default", workflow))) == before, (status, action)
                assert _counts(session) == (events, actions, decisions), (status, action)
            else:
                done = act(session, workflow, action, actor=ADA)
                assert (done.item.status, done.item.version) == (expected, before.version + 1), (status, action)
                appends = action in (A.APPROVE, A.REJECT, A.OVERRIDE)
                decides = is_run and action in (A.APPROVE, A.REJECT, A.REQUEST_CHANGE)
                assert _counts(session) == (events + appends, actions + 1, decisions + decides), (status, action)
            session.rollback()


def _counts(session: Session) -> tuple[int, int, int]:
    tables = (f"dg_event_log WHERE {EVENTS}", "dg_workflow_actions", "dpm_workflow_decisions")
    events, actions, decisions = (session.scalar(db.text(f"SELECT count(*) FROM {table}")) or 0 for table in tables)
    return events, actions, decisions


def test_an_approval_leaves_event_action_decision_edge_item_and_notice() -> None:
    done = acted(A.APPROVE, actor=NORA, reason_code="CASH_PLANNED", text="  Cash is due.  ")
    stored = item()
    assert (stored.status, stored.current_reason, stored.last_actor_id) == (S.APPROVED, "Cash is due.", "nora.lind")
    action = db.session.scalars(db.select(WorkflowAction)).one()
    assert (action.action_id, action.origin, action.reason_code) == (done.action.action_id, "event", "CASH_PLANNED")
    decision = db.session.scalars(db.select(Decision)).one()
    assert (decision.action, decision.comment, decision.actor_id) == ("APPROVE", "Cash is due.", "nora.lind")
    edge = db.session.scalars(db.select(LineageEdge).where(LineageEdge.edge_type == "DECIDED_BY")).one()
    assert (edge.source_entity_id, edge.target_entity_id) == ("rr_00000001", decision.decision_id)
    assert count("dg_workflow_notifications", "category = 'approval'") == 1
    assert_provable()


def test_a_decision_on_another_systems_item_is_an_event_and_no_decision_of_the_gate() -> None:
    acted(A.REJECT, "trace-1:exception:ex-1")
    assert (count("dpm_workflow_decisions"), count("dg_event_log", "event_type = 'ApprovalRecorded'")) == (0, 1)
    assert_provable()


def test_a_reason_is_asked_for_where_one_is_needed() -> None:
    for action in (action for action, spec in ACTIONS.items() if spec.text):
        for text in (None, "", " \n\t "):
            assert "Enter a" in assert_refused(InvalidInput, action, text=text).message


def test_a_reason_code_stands_for_a_reason() -> None:
    for action in (action for action, spec in ACTIONS.items() if spec.text is Text.REASON):
        with transaction() as session:
            done = act(session, RUN, action, actor=ADA, text=None, reason_code="CASH_PLANNED")
            assert done.item.version == 2
            session.rollback()


def test_a_code_is_no_comment() -> None:
    assert_refused(InvalidInput, A.COMMENT, text=None, reason_code="CASH_PLANNED")


def test_an_override_wants_its_phrase_to_the_letter() -> None:
    for phrase in (None, "", "OVERRIDE", RUN, f"override {RUN}", f"OVERRIDE {RUN.upper()} NOW"):
        assert_refused(InvalidInput, A.OVERRIDE, confirm_text=phrase)


def test_a_reassignment_wants_someone_who_may_review_here() -> None:
    with transaction() as session:
        hire(session, NORA, VIEW, replace(TOMAS, tenant_id="elsewhere"))
    assert_refused(InvalidInput, A.REASSIGN, assigned_role=None)
    assert_refused(InvalidInput, A.REASSIGN, assigned_role="janitor")
    for name in ("nobody", "victor.han", "tomas.roth"):
        assert_refused(InvalidInput, A.REASSIGN, assigned_role=None, assigned_account_id=name)
    assert (
        acted(A.REASSIGN, assigned_role=None, assigned_account_id="nora.lind").item.assigned_account_id == "nora.lind"
    )
    assert_provable()


def test_text_that_cannot_be_kept_is_refused() -> None:
    for text in ("a\x00b", "\ud800", "x" * 4_001):
        assert_refused(InvalidInput, A.COMMENT, text=text)


def test_who_may_not_is_told_so_before_anything_else() -> None:
    for action in A:
        refusal = assert_refused(Forbidden, action, actor=VIEW, text=None, confirm_text=None, assigned_role=None)
        assert "permission" in refusal.details


def test_an_item_that_is_not_there_is_not_found() -> None:
    for workflow in ("", "nothing", RUN.upper(), "corr-1:exception:rr_00000002"):
        assert refused(lambda session, workflow=workflow: act(session, workflow, A.CLAIM), NotFound)


def test_another_tenants_item_is_not_found_rather_than_forbidden() -> None:
    stranger = replace(ADA, tenant_id="elsewhere")
    assert refused(lambda session: act(session, RUN, A.APPROVE, actor=stranger), NotFound)
    assert count("dg_workflow_runtime", "tenant_id = 'elsewhere'") == 0


def test_who_saw_an_earlier_version_is_told_who_did_what() -> None:
    acted(A.COMMENT, actor=TOMAS)
    refusal = assert_refused(Conflict, A.APPROVE, version=1)
    assert (refusal.code, refusal.details["changed_by"], refusal.details["action"]) == (
        "version_conflict",
        "tomas.roth",
        "comment",
    )
    assert acted(A.APPROVE, version=2).item.status is S.APPROVED


def test_who_saw_another_picture_is_refused_though_the_version_fits() -> None:
    assert assert_refused(Conflict, A.APPROVE, version=1, shown_digest="sha256:old").code == "version_conflict"


def test_only_the_holder_or_a_manager_lets_go() -> None:
    acted(A.CLAIM, actor=NORA)
    assert assert_refused(Conflict, A.RELEASE, actor=TOMAS).details == {"assigned_account_id": "nora.lind"}
    assert acted(A.RELEASE, actor=MARA).item.assigned_account_id is None


def test_an_account_that_speaks_for_a_person_leaves_both_names() -> None:
    portal = Actor(ActorType.SERVICE_ACCOUNT, "portal", "default", frozenset(Permission), on_behalf_of="nora.lind")
    acted(A.REQUEST_CHANGE, actor=portal)
    acted(A.APPROVE, actor=portal)
    for decision in db.session.scalars(db.select(Decision)):
        assert (decision.actor_id, decision.recorded_by) == ("nora.lind", "portal")
    for action in db.session.scalars(db.select(WorkflowAction)):
        assert (action.actor_id, action.on_behalf_of) == ("portal", "nora.lind")
    assert_provable()


def test_whoever_submitted_a_run_does_not_approve_it_but_may_send_it_back() -> None:
    submitter = person("drift-engine", Role.ADMIN)
    for action in (A.APPROVE, A.OVERRIDE):
        assert assert_refused(Forbidden, action, actor=submitter).code == "four_eyes"
    assert acted(A.REQUEST_CHANGE, actor=submitter).item.status is S.CHANGES_REQUESTED


@pytest.mark.parametrize(
    ("module", "step"),
    [(items_subjects, "decision_row"), (items_subjects, "add_edge"), (items_actions, "append_event")],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_failure_at_any_step_leaves_nothing(monkeypatch: pytest.MonkeyPatch, module: Any, step: str) -> None:
    before, was = contents(), item()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(OSError, match="full"):
        acted(A.APPROVE)
    monkeypatch.undo()
    assert contents() == before
    assert item() == was
    assert acted(A.APPROVE).item.status is S.APPROVED


def test_an_escalation_is_told_each_time_and_an_assignment_once() -> None:
    for action in (A.ESCALATE, A.REQUEST_CHANGE, A.ESCALATE):
        acted(action)
    assert count("dg_workflow_notifications", "category = 'escalation'") == 2
    for role in ("manager", "reviewer", "manager"):
        acted(A.REASSIGN, assigned_role=role)
    assert count("dg_workflow_notifications", f"category = 'assignment' AND workflow_id = '{RUN}'") == 2
    assert_provable()
