"""The bundle of a run by each of its four names, with and without its parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import NotFound
from lotus_web.queries.idempotency.history import key_history
from lotus_web.queries.support.bundle import (
    BundleParts,
    bundle_by_correlation,
    bundle_by_key,
    bundle_by_operation,
    bundle_of_run,
)
from lotus_web.services.runs.simulate import Simulated, simulate
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.support.analyses import SCENARIOS, accept, simulate_json, told
from tests.support.histories import FEED, NO_FOUR_EYES, OFF, decide, record

pytestmark = pytest.mark.usefixtures("session")
ALL = BundleParts()


def simulated(key: str = "key-1", correlation_id: str = "corr-desk") -> Simulated:
    body = RebalanceRequestBody.model_validate(simulate_json())
    return simulate(body, idempotency_key=key, correlation_id=correlation_id, actor=FEED, policy=OFF, clock=utcnow)


def bundle(find: Any, named: str, parts: BundleParts = ALL, tenant_id: str = "default") -> Any:
    db.session.rollback()
    return find(db.session(), tenant_id, named, parts)


def test_run_correlation_and_key_lead_to_the_same_bundle() -> None:
    run_id = simulated().rebalance_run_id
    whole = bundle(bundle_of_run, run_id)
    assert whole == bundle(bundle_by_correlation, "corr-desk") == bundle(bundle_by_key, "key-1")
    assert whole.run.row.rebalance_run_id == run_id
    assert json.loads(whole.artifact)["rebalance_run_id"] == run_id
    assert [edge.edge_type for edge in whole.lineage.edges] == ["CORRELATION_TO_RUN", "IDEMPOTENCY_TO_RUN"]
    assert [entry.rebalance_run_id for entry in whole.idempotency_history.history] == [run_id]
    assert (whole.async_operation, whole.workflow_history, whole.related_run_ids) == (None, (), None)


def test_parts_can_be_left_out() -> None:
    simulated()
    accept({"one": {"options": {}}}, correlation_id="corr-desk")
    assert bundle(bundle_by_key, "key-1").async_operation is not None
    bare = bundle(bundle_by_key, "key-1", BundleParts(False, False, False))
    assert (bare.artifact, bare.async_operation, bare.idempotency_history) == (None, None, None)
    assert len(bare.lineage.edges) == 2


def test_decisions_are_always_in_it() -> None:
    with transaction() as session:
        record(session, 1)
        decide(session, 1, GateAction.REQUEST_CHANGES, policy=NO_FOUR_EYES)
        decide(session, 1, GateAction.APPROVE, policy=NO_FOUR_EYES)
    history = bundle(bundle_of_run, "rr_00000001", BundleParts(artifact=False)).workflow_history
    assert [decision.action for decision in history] == ["REQUEST_CHANGES", "APPROVE"]


def test_an_ordinary_batch_is_found_by_its_operation() -> None:
    accepted = accept(inline=True)
    whole = bundle(bundle_by_operation, accepted.operation_id)
    results = json.loads(told(accepted.operation_id).result or b"")["results"]
    ids = [results[name]["rebalance_run_id"] for name in sorted(SCENARIOS)]
    assert whole.run.row.rebalance_run_id == ids[0]
    assert whole.related_run_ids == tuple(ids[1:])
    assert whole.async_operation.row.operation_id == accepted.operation_id
    assert whole.idempotency_history is None


def test_a_run_of_a_batch_knows_the_operation_that_ran_it() -> None:
    accepted = accept(inline=True)
    whole = bundle(bundle_by_correlation, "corr-desk:capped")
    assert whole.async_operation.row.operation_id == accepted.operation_id


def test_an_operation_that_has_run_nothing_has_the_newest_run_of_its_correlation() -> None:
    accepted = accept()
    with pytest.raises(NotFound) as none_yet:
        bundle(bundle_by_operation, accepted.operation_id)
    assert none_yet.value.code == "DPM_RUN_NOT_FOUND"
    simulated("key-1")
    newest = simulated("key-2").rebalance_run_id
    assert bundle(bundle_by_operation, accepted.operation_id).run.row.rebalance_run_id == newest


def test_a_purged_first_run_gives_way_to_the_next() -> None:
    accepted = accept(inline=True)
    first = bundle(bundle_by_operation, accepted.operation_id)
    with transaction() as session:
        session.execute(text(f"DELETE FROM dpm_runs WHERE rebalance_run_id = '{first.run.row.rebalance_run_id}'"))
    second = bundle(bundle_by_operation, accepted.operation_id)
    assert (second.run.row.rebalance_run_id, *second.related_run_ids) == first.related_run_ids


@pytest.mark.parametrize(
    ("find", "code"),
    [
        (bundle_of_run, "DPM_RUN_NOT_FOUND"),
        (bundle_by_correlation, "DPM_RUN_NOT_FOUND"),
        (bundle_by_key, "DPM_IDEMPOTENCY_KEY_NOT_FOUND"),
        (bundle_by_operation, "DPM_ASYNC_OPERATION_NOT_FOUND"),
    ],
)
def test_an_unknown_name_is_refused_with_its_own_code(find: Any, code: str) -> None:
    with pytest.raises(NotFound) as refusal:
        bundle(find, "nobody")
    assert refusal.value.code == code


def test_another_tenant_finds_nothing() -> None:
    run_id = simulated().rebalance_run_id
    with pytest.raises(NotFound):
        bundle(bundle_of_run, run_id, tenant_id="another")


def test_the_history_of_a_key_tells_recordings_and_replays() -> None:
    first = simulated(correlation_id="corr-1")
    simulated(correlation_id="corr-2")
    history = key_history(db.session(), "default", "key-1").history
    assert [(entry.correlation_id, entry.rebalance_run_id) for entry in history] == [
        ("corr-1", first.rebalance_run_id),
        ("corr-2", first.rebalance_run_id),
    ]
    with pytest.raises(NotFound) as refusal:
        key_history(db.session(), "default", "key-2")
    assert refusal.value.code == "DPM_IDEMPOTENCY_KEY_NOT_FOUND"
