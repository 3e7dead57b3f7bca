"""Why a run needs a person, in sentences a person can act on."""

from __future__ import annotations

from typing import Any

from lotus_web.domain.runs.findings import findings, headline
from tests.support.histories import result

CLEAN = result("rr_1", "c", "READY")


def rule(rule_id: str, severity: str = "HARD", **more: Any) -> dict[str, Any]:
    shared = {
        "status": "FAIL",
        "measured": "1",
        "threshold": {"max": "0"},
        "reason_code": "X",
        "remediation_hint": None,
    }
    return {"rule_id": rule_id, "severity": severity, **shared, **more}


def test_a_clean_run_has_no_findings() -> None:
    assert findings(CLEAN) == ()
    assert headline(CLEAN) == "The run is READY and the gate asks for a review."


def test_a_broken_band_says_where_cash_would_be_and_where_it_should() -> None:
    assert headline(result("rr_1", "c")) == "Cash would be 8.00% of the portfolio; the band is 1.00% to 5.00%."


def test_hard_failures_come_first_and_the_rest_is_counted() -> None:
    run = result("rr_1", "c") | {
        "rule_results": [*result("rr_1", "c")["rule_results"], rule("NO_SHORTING", measured="-3")]
    }
    assert [found.rule_id for found in findings(run)] == ["NO_SHORTING", "CASH_BAND"]
    assert headline(run) == "A sale would exceed what is held, by 3.00. (+1 more)"


def test_missing_data_is_named_and_a_long_list_is_cut() -> None:
    quality = {"price_missing": ["A", "B", "C", "D"], "fx_missing": ["USD/CHF"], "shelf_missing": []}
    run = CLEAN | {"rule_results": [rule("DATA_QUALITY")], "diagnostics": {"warnings": [], "data_quality": quality}}
    assert headline(run) == "No price for A, B, C and 1 more; no FX rate for USD/CHF."


def test_a_target_that_cannot_be_reached_is_explained_when_no_rule_failed() -> None:
    target = {"instrument_id": "EQ_1", "model_weight": "1.0", "final_weight": "0.5", "tags": ["CAPPED_BY_MAX_WEIGHT"]}
    run = CLEAN | {"status": "PENDING_REVIEW", "target": {"targets": [target]}}
    assert headline(run) == "EQ_1 ends at 50.00%, not at the model's 100.00%, and the rest cannot be allocated."


def test_a_run_that_nothing_explains_still_says_something() -> None:
    run = CLEAN | {"status": "BLOCKED", "diagnostics": {"warnings": ["ODD"], "data_quality": {}}}
    assert [found.reason_code for found in findings(run)] == ["ODD"]


def test_a_rule_without_a_sentence_of_its_own_is_named_with_what_was_measured() -> None:
    run = CLEAN | {"rule_results": [rule("NEW_RULE", measured="1234.5")]}
    assert headline(run) == "NEW_RULE: measured 1,234.50 (X)."


def target(name: str, model: str, final: str) -> dict[str, object]:
    return {"instrument_id": name, "model_weight": model, "final_weight": final, "tags": ["CAPPED_BY_MAX_WEIGHT"]}


def test_many_targets_that_fall_short_make_one_sentence_with_the_worst_first() -> None:
    run = result("rr_1", "c") | {"status": "PENDING_REVIEW", "rule_results": []}
    run["target"] = {"targets": [target("A", "0.20", "0.19"), target("B", "0.30", "0.25"), target("C", "0.10", "0.09")]}
    run["universe"] = {"excluded": []}
    (found,) = findings(run)
    assert found.sentence == (
        "B ends at 25.00%, not at the model's 30.00%; 2 more fall short. Together 7.00% of the portfolio cannot be allocated."
    )


def test_a_target_that_may_not_be_traded_says_so_instead_of_blaming_a_cap() -> None:
    run = result("rr_1", "c") | {"status": "PENDING_REVIEW", "rule_results": []}
    run["target"] = {"targets": [target("A", "0.20", "0")]}
    run["universe"] = {"excluded": [{"instrument_id": "A", "reason_code": "SHELF_STATUS_RESTRICTED"}]}
    (found,) = findings(run)
    assert found.sentence == "A ends at 0.00%, not at the model's 20.00%: it may not be traded freely (restricted)."
