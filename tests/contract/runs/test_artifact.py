"""The artifact of a run proves itself, whether it is built on reading or was kept (dpm-api §10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from lotus_web.api.rebalance.schemas.runs import ArtifactBody
from lotus_web.domain.runs.artifact import artifact_hash
from lotus_web.models import Run
from lotus_web.store.session import db
from tests.contract.callers import Caller, blocked_request, ready_request, review_request
from tests.contract.conftest import Count

MODES = [
    pytest.param("DERIVED", marks=pytest.mark.environ(DPM_ARTIFACT_STORE_MODE="DERIVED")),
    pytest.param("PERSISTED", marks=pytest.mark.environ(DPM_ARTIFACT_STORE_MODE="persisted")),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("request_of", [ready_request, review_request, blocked_request])
def test_the_hash_is_over_the_artifact_and_equals_the_recorded_one(
    engine: Caller, app: Flask, mode: str, request_of: Callable[[], object]
) -> None:
    result = engine.run(request_of(), key="k")
    run_id = result["rebalance_run_id"]
    answer = engine.get(f"/rebalance/runs/{run_id}/artifact")
    assert answer.status_code == 200
    artifact = answer.json
    ArtifactBody.model_validate(artifact, extra="forbid")
    with app.app_context():
        recorded = db.session.scalar(select(Run.artifact_hash).where(Run.rebalance_run_id == run_id))
    assert artifact["evidence"]["hashes"]["artifact_hash"] == artifact_hash(artifact) == recorded
    assert artifact["result"] == result
    assert artifact["artifact_id"] == run_id.replace("rr_", "dra_", 1)
    assert artifact["evidence"]["run_created_at"] == engine.get(f"/rebalance/runs/{run_id}").json["created_at"]
    assert engine.get(f"/rebalance/runs/{run_id}/artifact").data == answer.data


@pytest.mark.environ(DPM_ARTIFACT_STORE_MODE="PERSISTED")
def test_a_run_from_before_artifacts_were_kept_has_one_all_the_same_and_reading_it_writes_nothing(
    engine: Caller, app: Flask, count_rows: Callable[[], Count]
) -> None:
    live = app.extensions["lotus_settings"].environ
    live["DPM_ARTIFACT_STORE_MODE"] = "DERIVED"
    run_id = engine.run()["rebalance_run_id"]
    live["DPM_ARTIFACT_STORE_MODE"] = "PERSISTED"
    before = count_rows()
    assert engine.get(f"/rebalance/runs/{run_id}/artifact").status_code == 200
    assert count_rows() == before


@pytest.mark.environ(DPM_ARTIFACTS_ENABLED="false")
def test_artifacts_that_are_switched_off(engine: Caller) -> None:
    run_id = engine.run()["rebalance_run_id"]
    assert engine.get(f"/rebalance/runs/{run_id}/artifact").json == {"detail": "DPM_ARTIFACTS_DISABLED"}


@pytest.mark.environ(DPM_ARTIFACTS_ENABLED="false", DPM_SUPPORT_APIS_ENABLED="false")
def test_the_support_switch_comes_first(engine: Caller) -> None:
    assert engine.get("/rebalance/runs/x/artifact").json == {"detail": "DPM_SUPPORT_APIS_DISABLED"}


def test_no_run_no_artifact(engine: Caller) -> None:
    answer = engine.get("/rebalance/runs/rr_00000000/artifact")
    assert (answer.status_code, answer.json) == (404, {"detail": "DPM_RUN_NOT_FOUND"})
