"""What the pages read out of a proposal's result: all of it, for each of the published demo proposals."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lotus_web.domain.proposals.evidence import ProposalEvidence, proposal_evidence
from lotus_web.wire.proposals.result import RESULT
from tests.unit.domain.advisory.bodies import simulate

DEMOS = Path(__file__).parents[3] / "data" / "advisory-demos"


def demo(number: str) -> dict[str, Any]:
    found = json.loads(next(DEMOS.glob(f"{number}_*.json")).read_text(encoding="utf-8"))
    request: dict[str, Any] = found.get("simulate_request", found)
    return request


def evidence_of(request: dict[str, Any]) -> ProposalEvidence:
    return proposal_evidence(RESULT.document(simulate(request)))


@pytest.mark.parametrize(
    ("number", "gate", "issues", "causes"),
    [
        ("10", "RISK_REVIEW_REQUIRED", (2, 4, 0), 2),
        ("11", "COMPLIANCE_REVIEW_REQUIRED", (3, 1, 0), 3),
        ("16", "CLIENT_CONSENT_REQUIRED", (0, 0, 1), 0),
        ("18", "BLOCKED", (1, 0, 0), 1),
    ],
)
def test_the_gate_names_its_causes_and_issues_are_told_apart(
    number: str, gate: str, issues: tuple[int, int, int], causes: int
) -> None:
    found = evidence_of(demo(number))
    assert found.gate is not None
    assert found.suitability is not None
    assert found.gate.gate == gate
    told = found.suitability
    assert (len(told.new), len(told.persistent), len(told.resolved)) == issues
    assert len(found.gate.causes) == causes
    assert {cause.sentence for cause in found.gate.causes} <= {issue.sentence for issue in told.new}


def test_a_failing_rule_is_a_finding_in_words_and_no_cause_of_the_gate_besides() -> None:
    found = evidence_of(demo("18"))
    assert found.gate is not None
    assert [(line.rule_id, line.sentence) for line in found.findings] == [
        ("PROPOSAL_INPUT_GUARDS", "A purchase was left out: its instrument may not be bought.")
    ]
    assert all("RULE_FAIL" not in cause.code for cause in found.gate.causes)


def test_trades_exchanges_and_funding_are_told_with_what_waits_for_what() -> None:
    found = evidence_of(demo("11"))
    (order,), (exchange,), (need,) = found.orders, found.exchanges, found.funding
    assert (order.side, order.name, order.quantity, order.waits_for) == (
        "BUY",
        "US_EQ_ETF",
        Decimal(50),
        ("SGD → USD",),
    )
    assert order.share == Decimal("0.675")
    assert (exchange.pair, exchange.bought, exchange.sold) == ("USD/SGD", Decimal(5000), Decimal(6750))
    assert (need.currency, need.required, need.available, need.needed, need.paid_from) == (
        "USD", Decimal(5000), Decimal(0), Decimal(5000), "SGD",
    )  # fmt: skip
    assert {row.currency: row.after for row in found.cash} == {"SGD": Decimal(3250), "USD": Decimal(0)}


def test_a_cash_flow_is_told_with_its_sign_and_description() -> None:
    request = demo("10")
    request["proposed_cash_flows"] = [{"currency": "SGD", "amount": "-100", "description": "School fees"}]
    (flow,) = evidence_of(request).flows
    assert (flow.currency, flow.amount, flow.description) == ("SGD", Decimal(-100), "School fees")


def test_drift_is_told_by_dimension_with_the_change() -> None:
    drift = evidence_of(demo("14")).drift
    assert drift is not None
    table = drift.tables[0]
    assert (table.dimension, table.before, table.after) == ("asset class", Decimal("0.15"), Decimal("0.20"))
    assert {line.bucket: line.improvement for line in table.lines}["EQUITY"] == Decimal("-0.10")


def test_what_the_request_switches_off_is_told_as_absent() -> None:
    request = demo("10")
    request["options"] |= {"enable_workflow_gates": False, "enable_suitability_scanner": False}
    found = evidence_of(request)
    assert (found.gate, found.suitability, found.drift) == (None, None, None)
