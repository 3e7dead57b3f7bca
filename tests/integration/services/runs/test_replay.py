"""A replay is a run of its own from the stored request; the same engine gives the same result."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.domain.errors import Conflict, NotFound, RunNotFound
from lotus_web.queries.lineage import LineageFilter, lineage_page
from lotus_web.queries.runs.diff import RunDiff, replayed_from, run_diff
from lotus_web.services.analyses.scenarios import analyze
from lotus_web.services.retention.purge import purge_batch
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.services.runs import replay
from lotus_web.services.runs import simulate as runs_simulate
from lotus_web.services.runs.record import ComputedRun
from lotus_web.services.runs.replay import replay_run
from lotus_web.services.runs.simulate import simulate
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db, transaction
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.support.analyses import SCENARIOS, batch, simulate_json
from tests.support.histories import FEED, OFF, assert_provable, count, unguarded
from tests.support.runs import GATED

pytestmark = pytest.mark.usefixtures("session")
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def simulated(key: str = "key-1", **options: Any) -> str:
    body = RebalanceRequestBody.model_validate(simulate_json(**options))
    done = simulate(body, idempotency_key=key, correlation_id=f"corr-{key}", actor=FEED, policy=OFF, clock=utcnow)
    return done.rebalance_run_id


def replayed(run_id: str) -> str:
    return replay_run(run_id, correlation_id="corr-replay", actor=FEED, policy=OFF, clock=utcnow)


def diff(before: str, after: str) -> RunDiff:
    db.session.rollback()
    return run_diff(db.session(), "default", before, after)


def test_a_replay_is_a_new_run_that_leads_to_the_old() -> None:
    old = simulated()
    new = replayed(old)
    assert new != old
    assert replayed_from(db.session(), "default", new) == old
    edges = lineage_page(db.session(), "default", new, LineageFilter("replayed_from"), limit=10).edges
    assert [(edge.source_entity_id, edge.target_entity_id) for edge in edges] == [(new, old)]
    assert edges[0].metadata["engine_version"] == "1.0.0"


def test_a_replay_takes_no_key_and_leaves_the_key_of_the_old_run_alone() -> None:
    old = simulated()
    new = replayed(old)
    assert count("dpm_idempotency_keys", f"rebalance_run_id = '{old}'") == 1
    assert count("dpm_runs", f"rebalance_run_id = '{new}' AND idempotency_key IS NULL") == 1


def test_the_id_of_a_purged_run_is_not_given_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its events stay in the log for ever, and say what was found of it alone."""
    body = RebalanceRequestBody.model_validate(simulate_json())

    def recorded(key: str) -> str:
        done = simulate(body, idempotency_key=key, correlation_id=key, actor=FEED, policy=GATED, clock=utcnow)
        return done.rebalance_run_id

    old = recorded("key-1")
    with transaction() as session:
        assert purge_batch(session, Target(RUNS, "default", LATER, LATER), [old])["runs"] == 1
    drawn = iter([old, "rr_fresh001"])
    monkeypatch.setattr(runs_simulate, "new_id", lambda prefix, *how: next(drawn) if how else new_id(prefix))
    assert recorded("key-2") == "rr_fresh001"
    assert_provable()


def test_a_run_that_is_purged_while_it_is_replayed_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    old, compute = simulated(), replay.compute_run

    def purged_meanwhile(*given: Any, **named: Any) -> ComputedRun:
        with transaction() as session:
            assert purge_batch(session, Target(RUNS, "default", LATER, LATER), [old])["runs"] == 1
        return compute(*given, **named)

    monkeypatch.setattr(replay, "compute_run", purged_meanwhile)
    with pytest.raises(RunNotFound):
        replayed(old)
    assert count("dpm_runs") == count("dpm_lineage_edges") == 0


def test_a_scenario_of_a_batch_can_be_replayed() -> None:
    told = analyze(batch(), correlation_id=None, asked_under="corr-desk", actor=FEED, policy=OFF, clock=utcnow)
    for name in SCENARIOS:
        old = told["results"][name]["rebalance_run_id"]
        assert diff(old, replayed(old)).identical


@settings(max_examples=15)
@given(
    turnover=st.none() | st.integers(0, 100),
    single=st.none() | st.integers(5, 100),
    cash_max=st.integers(1, 100),
    mode=st.sampled_from(["CALCULATED", "TRUST_SNAPSHOT"]),
    tax=st.booleans(),
)
def test_the_same_engine_gives_the_same_result(
    turnover: int | None, single: int | None, cash_max: int, mode: str, tax: bool
) -> None:
    options = {
        "max_turnover_pct": None if turnover is None else f"{turnover / 100:.2f}",
        "single_position_max_weight": None if single is None else f"{single / 100:.2f}",
        "cash_band_max_weight": f"{cash_max / 100:.2f}",
        "valuation_mode": mode,
        "enable_tax_awareness": tax,
    }
    old = simulated(f"key-{time.monotonic_ns()}", **options)
    found = diff(old, replayed(old))
    assert found.identical
    assert (found.status_changed, found.targets, found.intents, found.rules) == (False, (), (), ())


def test_the_difference_of_another_engine_is_told_by_status_targets_orders_and_rules() -> None:
    base, other = simulated("key-1"), simulated("key-2", single_position_max_weight="0.3", cash_band_max_weight="0.01")
    found = diff(base, other)
    assert not found.identical
    assert found.status_changed
    assert (found.before.status, found.after.status) == ("READY", "PENDING_REVIEW")
    assert {change.key for change in found.targets} == {"EQ_1", "EQ_2"}
    assert any(change.key.startswith("SELL EQ_1") for change in found.intents)
    assert any(change.key.startswith("CASH_BAND") for change in found.rules)
    assert diff(other, base).targets[0].before == found.targets[0].after


def test_an_unknown_run_is_not_found() -> None:
    with pytest.raises(NotFound) as refusal:
        replayed("rr_00000000")
    assert refusal.value.code == "DPM_RUN_NOT_FOUND"


def test_a_request_that_this_version_does_not_accept_cannot_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    old = simulated()
    with unguarded("dpm_run_payloads") as session:
        session.execute(text("UPDATE dpm_run_payloads SET request = result"))
    with pytest.raises(Conflict) as refusal:
        replayed(old)
    assert refusal.value.code == "EVIDENCE_MISMATCH"
    monkeypatch.setattr(replay, "check_as_recorded", lambda *_: None)  # as if an older version had recorded it
    with pytest.raises(Conflict) as refusal:
        replayed(old)
    assert refusal.value.code == "DPM_RUN_NOT_REPLAYABLE"
    assert count("dpm_runs") == 1


def test_a_replay_that_cannot_be_recorded_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    old = simulated()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(replay, "add_edge", broken)
    with pytest.raises(RuntimeError):
        replayed(old)
    assert count("dpm_runs") == 1
