"""Target weights by least squares: limits hold, failures are named, a missing package blocks and never crashes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lotus_web.domain.rebalance.values.weight_problem import WeightProblem
from lotus_web.services.runs import solver
from lotus_web.services.runs.solver import solve
from tests.unit.domain.rebalance.bodies import D, run_of, weights_of

SOLVED: dict[str, Any] = {"cash": {"SGD": 10000}, "target_method": "SOLVER"}


def problem(*wanted: str, low: str = "0", high: str = "1", limit: str | None = None) -> WeightProblem:
    return WeightProblem(tuple(map(D, wanted)), D(low), D(high), D(limit) if limit else None, ())


def test_a_model_inside_every_limit_is_kept() -> None:
    assert solve(problem("0.25", "0.35")).weights == (D("0.25"), D("0.35"))


def test_the_excess_over_the_total_is_taken_from_each_alike() -> None:
    assert solve(problem("0.8", "0.6")).weights == (D("0.6"), D("0.4"))


def test_no_weight_is_negative() -> None:
    assert solve(problem("1.5", "0.1")).weights == (D(1), D(0))


def test_a_cash_ceiling_lifts_the_weights() -> None:
    result = run_of(**SOLVED, prices={"A": 1, "B": 1}, model={"A": ".3", "B": ".1"}, cash_band_max_weight=".2")
    assert weights_of(result) == {"A": D(".5"), "B": D(".3")}


def test_many_weights_rounded_up_together_stay_within_the_total() -> None:
    size = 298
    weights = solve(problem(*["0.01"] * size)).weights
    assert len(set(weights)) == 1
    assert sum(weights) <= 1


def test_an_excess_of_sell_only_without_recipient_asks_for_a_review() -> None:
    result = run_of(**SOLVED, prices={"A": 1}, model={"A": ".5"}, shelf={"A": "SELL_ONLY"})
    assert result.status == "PENDING_REVIEW"


def test_a_cash_band_upside_down_is_named() -> None:
    result = run_of(**SOLVED, prices={"A": 1}, model={"A": ".5"}, cash_band_min_weight=".6", cash_band_max_weight=".4")
    assert result.status == "BLOCKED"
    assert result.diagnostics.warnings == ("INFEASIBLE_INFEASIBLE", "INFEASIBILITY_HINT_CASH_BAND_CONTRADICTION")


def test_locked_members_above_their_group_cap_are_named() -> None:
    result = run_of(
        **SOLVED,
        held={"ICE": 10000},
        prices={"ICE": 1, "A": 1},
        model={"A": ".4"},
        shelf={"ICE": {"status": "BANNED", "attributes": {"sector": "TECH"}}},
        group_constraints={"sector:TECH": {"max_weight": ".3"}},
    )
    assert result.diagnostics.warnings == (
        "INFEASIBLE_INFEASIBLE",
        "INFEASIBILITY_HINT_LOCKED_GROUP_WEIGHT_sector:TECH",
    )


def test_limits_that_contradict_each_other_only_together_are_infeasible() -> None:
    bounded = WeightProblem((D(1), D(1)), D(".9"), D(1), None, (((0,), D(".4")), ((1,), D(".4"))))
    assert solve(bounded).failure == "INFEASIBLE_INFEASIBLE"


@pytest.mark.parametrize("missing", ["osqp", "numpy", "scipy.sparse"])
def test_without_the_solver_package_the_run_is_blocked_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    result = run_of(**SOLVED, prices={"A": 1}, model={"A": ".5"})
    assert result.status == "BLOCKED"
    assert result.diagnostics.warnings == ("SOLVER_ERROR",)
    assert result.target.targets == ()


def test_a_solver_that_gives_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(solver.SETTINGS, "max_iter", 1)
    assert solve(problem("0.8", "0.6", limit="0.5")).failure == "SOLVER_NON_OPTIMAL_USER_LIMIT"


def test_a_solver_that_fails_is_an_error_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(solver.SETTINGS, "max_iter", -1)
    assert solve(problem("0.8", "0.6")).failure == "SOLVER_ERROR"


def test_the_same_problem_always_takes_the_same_path() -> None:
    hard = problem(*[f"0.{index:03d}" for index in range(1, 200)], limit="0.009")
    assert len({solve(hard) for _ in range(3)}) == 1
