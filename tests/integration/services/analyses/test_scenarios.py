"""Analysis: each scenario a run of its own, partial failures, and figures that compare (dpm-api §4, engine §4)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import exc, select

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.models import Run
from lotus_web.queries.runs.lookup import stored_run
from lotus_web.services.analyses import scenarios as batch_service
from lotus_web.services.analyses.scenarios import analyze
from lotus_web.store.session import db
from lotus_web.wire.rebalance.request import BatchRequestBody
from tests.support.analyses import SCENARIOS, WRONG_OPTIONS, batch, batch_json
from tests.support.histories import FEED, OFF, POLICY, count

pytestmark = pytest.mark.usefixtures("session")


def analysed(
    scenarios: dict[str, Any] | None = None,
    *,
    body: BatchRequestBody | None = None,
    correlation_id: str | None = "corr-desk",
    policy: DeploymentPolicy = OFF,
) -> dict[str, Any]:
    asked_under = correlation_id or "corr-made"
    return analyze(
        body or batch(scenarios),
        correlation_id=correlation_id,
        asked_under=asked_under,
        actor=FEED,
        policy=policy,
        clock=utcnow,
    )


def runs() -> dict[str, Run]:
    db.session.rollback()
    return {run.correlation_id: run for run in db.session.scalars(select(Run))}


def test_every_scenario_is_answered_in_the_order_of_names_and_recorded_as_a_run() -> None:
    told = analysed()
    assert list(told["results"]) == sorted(SCENARIOS)
    assert set(runs()) == {f"corr-desk:{name}" for name in SCENARIOS}
    for name, result in told["results"].items():
        run = runs()[f"corr-desk:{name}"]
        assert run.rebalance_run_id == result["rebalance_run_id"]
        assert run.request_hash == result["lineage"]["request_hash"] == f"{told['batch_run_id']}:{name}"
        assert run.idempotency_key is None
        assert stored_run(db.session(), "default", run.rebalance_run_id).row.status == result["status"]


def test_without_an_id_of_the_caller_the_batch_stands_in() -> None:
    told = analysed(correlation_id=None)
    assert set(runs()) == {f"{told['batch_run_id']}:{name}" for name in SCENARIOS}


def test_the_batch_names_its_snapshots() -> None:
    told = analysed()
    assert told["base_snapshot_ids"] == {"portfolio_snapshot_id": "ps-1", "market_data_snapshot_id": "md-1"}
    assert told["warnings"] == []


def test_the_metrics_say_how_the_scenarios_compare() -> None:
    told = analysed()
    assert set(told["comparison_metrics"]) == set(SCENARIOS)
    for name, metric in told["comparison_metrics"].items():
        trades = [row for row in told["results"][name]["intents"] if row["intent_type"] == "SECURITY_TRADE"]
        assert metric["status"] == told["results"][name]["status"]
        assert metric["security_intent_count"] == len(trades)
        assert metric["gross_turnover_notional_base"]["currency"] == "SGD"
    assert told["comparison_metrics"]["baseline"]["security_intent_count"] > 0


def test_of_a_snapshot_with_a_row_twice_only_what_reads_strictly_is_computed() -> None:
    scenarios = {"ours": {}, "strict": {"options": {"strict_reference": "yes"}}}
    twice = batch_json(scenarios)
    twice["shelf_entries"] = twice["shelf_entries"] * 2
    told = analysed(body=BatchRequestBody.model_validate(twice))
    named = "INVALID_OPTIONS: Value error, shelf_entries names instrument 'EQ_1' more than once"
    assert (list(told["results"]), told["failed_scenarios"]) == (["strict"], {"ours": named})
    assert set(runs()) == {"corr-desk:strict"}


def test_a_scenario_with_impossible_options_fails_alone() -> None:
    told = analysed({**SCENARIOS, "wrong": WRONG_OPTIONS})
    expected = "INVALID_OPTIONS: Value error, max_turnover_pct must be between 0 and 1 inclusive"
    assert told["failed_scenarios"] == {"wrong": expected}
    assert told["warnings"] == ["PARTIAL_BATCH_FAILURE"]
    assert set(told["results"]) == set(told["comparison_metrics"]) == set(SCENARIOS)
    assert count("dpm_runs") == 3


def test_a_recording_that_fails_leaves_nothing_of_its_scenario_and_all_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_run = batch_service.record_run

    def refuse_capped(session: Any, computed: Any, **named: Any) -> Any:
        run = record_run(session, computed, **named)
        if run.correlation_id.endswith(":capped"):
            raise ValueError("cannot be recorded")
        return run

    monkeypatch.setattr(batch_service, "record_run", refuse_capped)
    told = analysed(policy=POLICY)
    assert told["failed_scenarios"] == {"capped": "SCENARIO_EXECUTION_ERROR: ValueError"}
    assert set(runs()) == {"corr-desk:baseline", "corr-desk:turnover"}
    assert count("dg_event_log", "trace_id = 'corr-desk:capped'") == 0
    assert count("dpm_lineage_edges", "edge_type = 'DERIVED_FROM'") == 2


def test_a_store_that_goes_away_fails_the_whole_analysis_and_not_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> Any:
        raise exc.OperationalError("COMMIT", {}, Exception("the disk is gone"))

    monkeypatch.setattr(batch_service, "record_run", gone)
    with pytest.raises(exc.OperationalError):
        analysed()


def test_a_scenario_that_needs_a_person_gets_its_item() -> None:
    told = analysed({"tight": {"options": {"cash_band_max_weight": "0.01"}}}, policy=POLICY)
    result = told["results"]["tight"]
    assert result["status"] == "PENDING_REVIEW"
    assert count("dg_workflow_items", f"rebalance_run_id = '{result['rebalance_run_id']}'") == 1


def test_the_longest_names_that_are_allowed_make_a_trace_of_their_own() -> None:
    name, correlation_id = "n" * 64, "c" * 200
    told = analysed({name: {"options": {}}}, correlation_id=correlation_id, policy=POLICY)
    assert told["failed_scenarios"] == {}
    assert count("dg_event_log", f"trace_id = '{correlation_id}:{name}'") >= 2
