"""The gate on runs: the RFC's routes, runs that came before the workflow, and settings that changed (RFC-0020, dpm-api §8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from lotus_web.domain.decisions.gate import GateAction, GateStatus, gate_status
from lotus_web.domain.errors import Conflict, Forbidden, LotusError, NotFound
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.values import ItemStatus
from lotus_web.models import Run, WorkflowItem
from lotus_web.services.decisions.gate import open_item_for_run
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    ADA,
    EVENTS,
    NORA,
    NOW,
    OFF,
    POLICY,
    VIEW,
    act,
    assert_provable,
    contents,
    count,
    decide,
    record,
    refused,
    workflow_id,
)

D = GateAction
STRICT = replace(POLICY, review_statuses=("PENDING_REVIEW", "READY"))


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def recorded(number: int = 1, **how: object) -> None:
    with transaction() as session:
        record(session, number, **how)  # type: ignore[arg-type]


def decided(action: GateAction, **how: object) -> ItemStatus:
    with transaction() as session:
        return decide(session, 1, action, **how).item.status  # type: ignore[arg-type]


def assert_refused(code: str, action: GateAction, kind: type[LotusError] = Conflict, **how: object) -> None:
    before = contents()
    refusal = refused(lambda session: decide(session, 1, action, **how), kind)  # type: ignore[arg-type]
    assert isinstance(refusal, LotusError)
    assert refusal.code == code
    assert contents() == before


def status() -> GateStatus:
    row = db.session.get(WorkflowItem, ("default", workflow_id(1)), populate_existing=True)
    db.session.rollback()
    return gate_status(required=True, item_status=ItemStatus(row.status) if row else None)


@pytest.mark.parametrize(
    "way",
    [
        (D.APPROVE,),
        (D.REJECT,),
        (D.APPROVE, D.REJECT),
        (D.APPROVE, D.REQUEST_CHANGES, D.APPROVE),
        (D.REJECT, D.REQUEST_CHANGES, D.REQUEST_CHANGES, D.REJECT),
    ],
)
def test_the_gate_goes_the_ways_of_its_table_and_refuses_the_rest(way: tuple[GateAction, ...]) -> None:
    recorded()
    for action in way:
        decided(action)
    assert count("dpm_workflow_decisions") == len(way)
    here = status()
    for action in D:
        if (here, action) in {
            (GateStatus.APPROVED, D.APPROVE),
            (GateStatus.REJECTED, D.APPROVE),
            (GateStatus.REJECTED, D.REJECT),
        }:
            assert_refused("DPM_WORKFLOW_INVALID_TRANSITION", action)
    assert_provable()


def test_an_overridden_run_reads_as_approved_and_is_final() -> None:
    recorded()
    with transaction() as session:
        act(session, workflow_id(1), Action.OVERRIDE, actor=ADA)
    assert status() is GateStatus.APPROVED
    for action in D:
        assert_refused("DPM_WORKFLOW_INVALID_TRANSITION", action)


def test_a_run_that_needs_nobody_takes_no_decision() -> None:
    recorded(status="READY")
    assert_refused("DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS", D.APPROVE)
    assert_refused("DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS", D.APPROVE, policy=OFF)


def test_an_unknown_run_another_tenants_run_and_a_missing_permission_are_told_apart() -> None:
    assert_refused("DPM_RUN_NOT_FOUND", D.APPROVE, NotFound)
    recorded()
    assert_refused("DPM_RUN_NOT_FOUND", D.APPROVE, NotFound, actor=replace(NORA, tenant_id="elsewhere"))
    assert_refused("FORBIDDEN", D.APPROVE, Forbidden, actor=VIEW)


def test_a_run_from_before_the_workflow_is_brought_in_by_its_first_decision() -> None:
    recorded(policy=OFF)
    assert count("dg_event_log", EVENTS) == 0
    assert decided(D.APPROVE) is ItemStatus.APPROVED
    assert count("dg_event_log", EVENTS) == 4
    assert_provable()


def test_a_refused_first_decision_brings_nothing_in() -> None:
    recorded(policy=OFF)
    assert_refused("FOUR_EYES", D.APPROVE, Forbidden, actor=replace(NORA, actor_id="drift-engine"))


def test_a_run_that_the_log_knows_is_brought_in_when_its_status_needs_a_person_now() -> None:
    recorded(status="READY")
    assert decided(D.REJECT, policy=STRICT) is ItemStatus.REJECTED
    assert count("dg_event_log", "event_type = 'PolicyEvaluated'") == 1
    assert_provable()


def test_a_run_is_brought_in_even_if_its_trace_was_begun_by_others() -> None:
    recorded(1, policy=OFF, correlation_id="shared")
    recorded(2, correlation_id="shared")
    assert decided(D.APPROVE) is ItemStatus.APPROVED
    assert_provable()


def test_who_submitted_a_run_is_who_asked_for_its_review_when_it_is_brought_in() -> None:
    recorded(policy=OFF)
    with transaction() as session:
        item = open_item_for_run(session, session.get_one(Run, ("default", "rr_00000001")), now=NOW, policy=POLICY).row
        assert (item.requested_by_id, item.requested_at) == ("drift-engine", NOW)
