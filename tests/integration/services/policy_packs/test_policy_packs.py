"""What is kept of a pack outlives the catalogue: operations run again keep its name, replays its overrides."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.errors import Conflict
from lotus_web.domain.policy_packs import AppliedPack, PackRules
from lotus_web.models import OperationPayload, RunPayload
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.analyses.rerun import run_again
from lotus_web.services.policy_packs import put_pack, remove_pack
from lotus_web.services.runs.replay import replay_run
from lotus_web.services.runs.simulate import simulate
from lotus_web.store.session import db, transaction
from lotus_web.wire.policy_packs import read_pack
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.support.analyses import TERMS, batch, simulate_json, told
from tests.support.histories import ADA, FEED, OFF

pytestmark = pytest.mark.usefixtures("session")
ON = DeploymentPolicy(packs=PackRules(enabled=True))
HOW: dict[str, Any] = {"terms": TERMS, "inline": True, "clock": utcnow}


def put(**overrides: Any) -> None:
    with transaction() as session:
        put_pack(session, read_pack({"policy_pack_id": "cap"} | overrides), tenant_id="default", now=utcnow())


def simulated() -> str:
    body = RebalanceRequestBody.model_validate(simulate_json())
    done = simulate(
        body,
        idempotency_key="k",
        correlation_id="c",
        actor=FEED,
        policy=ON,
        clock=utcnow,
        policy_pack_id="cap",
    )
    return done.rebalance_run_id


def replayed(run_id: str) -> str:
    return replay_run(run_id, correlation_id="again", actor=FEED, policy=OFF, clock=utcnow)


def payload(run_id: str) -> RunPayload:
    db.session.rollback()
    return db.session.get_one(RunPayload, ("default", run_id), populate_existing=True)


def test_an_operation_that_is_run_again_names_the_same_pack() -> None:
    put(single_position_max_weight="0.3")
    old = submit_analysis(batch(), correlation_id="c", actor=FEED, policy=ON, policy_pack_id="cap", **HOW).operation_id
    new = run_again(old, correlation_id="c2", actor=ADA, policy=ON, **HOW).operation_id
    assert told(new).row.status == "SUCCEEDED"
    assert db.session.get_one(OperationPayload, ("default", new)).policy_pack_id == "cap"


def test_the_request_is_stored_as_it_came_and_the_pack_beside_it() -> None:
    put(single_position_max_weight="0.3")
    run_id = simulated()
    with transaction() as session:
        remove_pack(session, "cap", tenant_id="default", now=utcnow())
    new = replayed(run_id)
    assert payload(new).request == payload(run_id).request
    assert payload(new).policy_pack == payload(run_id).policy_pack
    stored = RebalanceRequestBody.model_validate_json(zlib.decompress(payload(run_id).request))
    assert stored.options.single_position_max_weight is None


def test_overrides_that_this_version_does_not_accept_cannot_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    put(single_position_max_weight="0.3")
    record = AppliedPack.record
    monkeypatch.setattr(AppliedPack, "record", lambda pack: record(pack) | {"overrides": {"max_turnover_pct": "7"}})
    run_id = simulated()
    with pytest.raises(Conflict) as refusal:
        replayed(run_id)
    assert refusal.value.code == "DPM_RUN_NOT_REPLAYABLE"
