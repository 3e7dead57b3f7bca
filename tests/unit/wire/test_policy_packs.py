"""A pack is checked as a request would be, before it is stored; applied, it changes what it names and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.policy_packs import OVERRIDABLE, AppliedPack, PackSource, PolicyPack
from lotus_web.wire.policy_packs import read_pack, under_pack
from lotus_web.wire.rebalance.options import EngineOptionsBody
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash
from tests.support.analyses import simulate_json

EVERYTHING: dict[str, Any] = {
    "max_turnover_pct": "0.15",
    "enable_tax_awareness": True,
    "max_realized_capital_gains": 500,
    "enable_settlement_awareness": True,
    "settlement_horizon_days": 3,
    "single_position_max_weight": 0.2,
    "group_constraints": {"sector:TECH": {"max_weight": "0.3"}},
    "enable_workflow_gates": False,
    "workflow_requires_client_consent": True,
    "client_consent_already_obtained": True,
}


def applied(overrides: dict[str, Any]) -> AppliedPack:
    return AppliedPack("p", PackSource.REQUEST, True, read_pack({"policy_pack_id": "p", **overrides}).overrides)


def request(**options: Any) -> RebalanceRequestBody:
    return RebalanceRequestBody.model_validate(simulate_json(**options))


def test_the_options_that_a_pack_may_set_are_those_of_a_request() -> None:
    assert set(EVERYTHING) == set(OVERRIDABLE) <= set(EngineOptionsBody.model_fields)


def test_null_and_no_groups_override_nothing() -> None:
    nothing = dict.fromkeys(OVERRIDABLE) | {"group_constraints": {}}
    assert read_pack({"policy_pack_id": "p", **nothing}) == PolicyPack("p")


def test_numbers_are_kept_as_exact_text() -> None:
    assert read_pack({"policy_pack_id": "p", **EVERYTHING, "replay_enabled": False}) == PolicyPack(
        "p", EVERYTHING | {"max_realized_capital_gains": "500", "single_position_max_weight": "0.2"}, False
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("max_turnover_pct", "1.01"),
        ("max_turnover_pct", "NaN"),
        ("max_realized_capital_gains", -1),
        ("settlement_horizon_days", 11),
        ("settlement_horizon_days", 1.5),
        ("group_constraints", {"TECH": {"max_weight": "0.3"}}),
        ("group_constraints", {"sector:TECH": {"max_weight": "2"}}),
        ("enable_tax_awareness", "perhaps"),
        ("replay_enabled", "perhaps"),
        ("policy_pack_id", ""),
        ("policy_pack_id", " p"),
        ("policy_pack_id", "x" * 256),
        ("policy_pack_id", "p\x00"),
    ],
)
def test_what_no_request_could_ask_is_no_pack(member: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        read_pack({"policy_pack_id": "p", member: value})


@pytest.mark.parametrize("document", [[], None, "p", {}, {"max_turnover_pct": "0.1"}])
def test_what_has_no_id_is_no_pack(document: Any) -> None:
    with pytest.raises(ValidationError):
        read_pack(document)


@pytest.mark.parametrize("member", ["max_turnover", "target_method", "strict_reference", "idempotency_policy"])
def test_a_member_that_no_pack_has_is_named(member: str) -> None:
    with pytest.raises(InvalidInput, match=f"has no {member}; it may set max_turnover_pct"):
        read_pack({"policy_pack_id": "p", member: None})


def test_a_pack_changes_what_it_names_and_nothing_else() -> None:
    body = request(max_turnover_pct="0.5", fx_buffer_pct="0.02", settlement_horizon_days=9)
    changed = under_pack(body, applied({"max_turnover_pct": "0.1", "group_constraints": {"a:b": {"max_weight": 0}}}))
    options = changed.to_domain().options
    assert (options.max_turnover_pct, options.group_constraints) == (Decimal("0.1"), {"a:b": Decimal(0)})
    unnamed = set(EngineOptionsBody.model_fields) - {"max_turnover_pct", "group_constraints"}
    assert all(getattr(changed.options, name) == getattr(body.options, name) for name in unnamed)
    assert body.options.max_turnover_pct == Decimal("0.5")


def test_every_option_of_a_pack_reaches_the_engine() -> None:
    options = under_pack(request(), applied(EVERYTHING)).to_domain().options
    told = {name: getattr(options, name) for name in OVERRIDABLE}
    assert told == EVERYTHING | {
        "max_turnover_pct": Decimal("0.15"),
        "max_realized_capital_gains": Decimal(500),
        "single_position_max_weight": Decimal("0.2"),
        "group_constraints": {"sector:TECH": Decimal("0.3")},
    }


def test_without_a_pack_a_request_stays_what_it_is() -> None:
    body = request()
    assert under_pack(body, None) is body
    assert request_hash(under_pack(body, AppliedPack("p", PackSource.DEFAULT, known=False))) == request_hash(body)
