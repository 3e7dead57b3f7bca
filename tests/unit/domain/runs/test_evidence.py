"""What a decision rests on, read from results of the real engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotus_web.demo.portfolios import demo_variant
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.runs.evidence import RunEvidence, run_evidence
from lotus_web.domain.runs.shifts import MOST_POSITIONS
from lotus_web.services.runs.solver import solve
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from lotus_web.wire.rebalance.result import RESULT


def document(circumstance: str) -> dict[str, Any]:
    """Return the result of the first demo request in which this happened."""
    variants = (demo_variant(seed=1, variant=number) for number in range(180))
    request = next(found.request for found in variants if found.circumstance == circumstance)
    body = RebalanceRequestBody.model_validate(request)
    return RESULT.document(
        rebalance(
            body.to_domain(),
            run_id="rr_1",
            correlation_id="c",
            request_hash="sha256:1",
            idempotency_key=None,
            solve=solve,
        )
    )


def evidence(circumstance: str) -> RunEvidence:
    """Return the evidence of that result."""
    return run_evidence(document(circumstance))


@pytest.mark.parametrize(
    "circumstance", ["restricted_target", "suspended", "turnover_capped", "tax_lots", "foreign_cash"]
)
def test_weights_by_class_are_the_whole_portfolio_before_and_after(circumstance: str) -> None:
    found = evidence(circumstance)
    for state in ("before_weight", "after_weight"):
        assert abs(sum(getattr(row, state) for row in found.by_class) - 1) < Decimal("1e-9")


def test_cash_carries_its_band_and_positions_their_cap() -> None:
    found = evidence("restricted_target")
    limits = {row.label: (row.lowest, row.highest) for row in found.by_class}
    cap = next(bound for rule in found.rules if rule.rule_id == "SINGLE_POSITION_MAX" for _, bound in rule.bounds)
    assert limits.pop("CASH") == (Decimal("0.01"), Decimal("0.05"))
    assert set(limits.values()) == {(None, None)}
    assert {(row.lowest, row.highest) for row in found.by_position} == {(None, cap)}


def test_a_run_without_a_cap_shows_no_limit_of_positions() -> None:
    result = document("restricted_target")
    cap = next(rule for rule in result["rule_results"] if rule["rule_id"] == "SINGLE_POSITION_MAX")
    cap.update(threshold={"max": "-1"}, reason_code="NO_LIMIT_SET", status="PASS")
    found = run_evidence(result)
    assert {(row.lowest, row.highest) for row in found.by_position} == {(None, None)}
    assert next(rule.bounds for rule in found.rules if rule.rule_id == "SINGLE_POSITION_MAX") == ()


def test_orders_come_in_execution_order_and_name_what_they_wait_for() -> None:
    found = evidence("turnover_capped")
    assert [order.side for order in found.orders][:2] == ["SELL", "FX"]
    buy = next(order for order in found.orders if order.side == "BUY")
    assert buy.waits_for == ("EUR → USD", "MRK")
    assert buy.share is not None
    assert found.turnover == (found.bought + found.sold) / found.value_before


def test_a_failing_rule_gives_measured_and_bounds_as_numbers() -> None:
    (line,) = evidence("restricted_target").findings
    assert line.is_weight
    assert line.measured is not None
    assert abs(line.measured - Decimal("0.16")) < Decimal("0.0001")
    assert line.bounds == (("min", Decimal("0.01")), ("max", Decimal("0.05")))


@pytest.mark.parametrize(
    ("circumstance", "code", "detail"),
    [
        ("suspended", "LOCKED_DUE_TO_SUSPENDED", "Held, and suspended on the shelf"),
        ("restricted_target", "SHELF_STATUS_RESTRICTED", "In the model, but restricted on the shelf"),
        ("legacy_banned", "LOCKED_DUE_TO_BANNED", "Held, and banned on the shelf"),
        ("legacy_off_shelf", "LOCKED_DUE_TO_MISSING_SHELF", "Held, but not on the shelf"),
        ("sell_only", "SHELF_STATUS_SELL_ONLY", "Sell only on the shelf"),
        ("turnover_capped", "TURNOVER_LIMIT", "Order dropped"),
        ("group_limit", "GROUP_CAPPED", "Group limit: the model has"),
    ],
)
def test_what_was_held_back_is_told_in_words(circumstance: str, code: str, detail: str) -> None:
    assert any(row.reason_code == code and row.detail.startswith(detail) for row in evidence(circumstance).exclusions)


def test_what_is_locked_is_told_once() -> None:
    names = [row.name for row in evidence("suspended").exclusions]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("circumstance", ["price_missing", "rate_missing", "target_off_shelf"])
def test_missing_data_is_named_even_where_nothing_could_be_valued(circumstance: str) -> None:
    found = evidence(circumstance)
    assert found.missing
    assert found.orders == ()


def test_many_positions_end_in_one_row_for_the_rest() -> None:
    result = document("drift_only")
    for state in ("before", "after_simulated"):
        value = {"amount": "1", "currency": "USD"}
        rows = [{"key": f"P{number:03}", "weight": "0.001", "value": value} for number in range(100)]
        result[state]["allocation_by_instrument"] = rows
    found = run_evidence(result).by_position
    assert len(found) == MOST_POSITIONS + 1
    assert found[-1].label == "70 smaller positions"


def test_a_worthless_portfolio_has_weights_and_no_shares() -> None:
    result = document("drift_only")
    result["before"]["total_value"]["amount"] = "0"
    found = run_evidence(result)
    assert found.turnover is None
    assert all(order.share is None for order in found.orders)
