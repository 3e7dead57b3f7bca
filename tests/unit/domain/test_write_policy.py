"""The enterprise policy on writes: three questions in one order, rules by method and path."""

from __future__ import annotations

import pytest

from lotus_web.domain.errors import Forbidden
from lotus_web.domain.write_policy import CapabilityRules, check_write, needed_capability, parse_capability_rules

NAMED = {"X-Actor-Id": "ada", "X-Tenant-Id": "default", "X-Role": "advisor", "X-Correlation-Id": "c"}
IDENTIFIED = NAMED | {"X-Service-Identity": "gateway"}
RULES = parse_capability_rules(
    '{"POST /rebalance": "rebalance.write", "post /api/v1/rebalance/runs/": "runs.write", "POST /api/v1/events": "feed"}'
)


def reason(headers: dict[str, str], rules: CapabilityRules = RULES, path: str = "/rebalance/simulate") -> str | None:
    try:
        check_write(rules, method="POST", path=path, sent=headers.get)
    except Forbidden as refused:
        return f"{refused.details['reason']}" if refused.code == "authorization_policy_denied" else refused.code
    return None


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "missing_headers:x-actor-id,x-correlation-id,x-role,x-tenant-id"),
        (IDENTIFIED | {"X-Role": ""}, "missing_headers:x-role"),
        (IDENTIFIED | {"X-Role": " ", "X-Actor-Id": "\t"}, "missing_headers:x-actor-id,x-role"),
        (NAMED, "missing_service_identity"),
        (NAMED | {"X-Service-Identity": " "}, "missing_service_identity"),
        (IDENTIFIED, "missing_capability:rebalance.write"),
        (NAMED | {"Authorization": "Bearer b"}, "missing_capability:rebalance.write"),
        (IDENTIFIED | {"X-Capabilities": "rebalance,write"}, "missing_capability:rebalance.write"),
        (IDENTIFIED | {"X-Capabilities": "Rebalance.Write"}, "missing_capability:rebalance.write"),
        (IDENTIFIED | {"X-Capabilities": "feed , rebalance.write"}, None),
    ],
)
def test_the_first_reason_is_told(headers: dict[str, str], told: str | None) -> None:
    assert reason(headers) == told


def test_without_a_rule_no_capability_is_needed() -> None:
    assert reason(IDENTIFIED, {}) is None


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("POST", "/rebalance/simulate", "rebalance.write"),
        ("POST", "/api/v1/rebalance/simulate", "rebalance.write"),
        ("POST", "/rebalance/runs/rr_1/replay", "runs.write"),
        ("POST", "/api/v1/rebalance/runs/rr_1/replay", "runs.write"),
        ("POST", "/rebalance/runs", "runs.write"),
        ("POST", "/rebalance/runsheet", "rebalance.write"),
        ("POST", "/rebalanced", None),
        ("POST", "/api/v1/rebalanced", None),
        ("POST", "/api/v1/events", "feed"),
        ("POST", "/events", None),
        ("DELETE", "/rebalance/runs", None),
    ],
)
def test_the_longest_path_counts_on_both_mounts(method: str, path: str, needed: str | None) -> None:
    assert needed_capability(RULES, method=method, path=path) == needed


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{",
        '{"GET /rebalance": "c"}',
        '{"POST": "c"}',
        '{"POST rebalance": "c"}',
        '{"POST /a b": "c"}',
        '{"POST /rebalance": ""}',
        '{"POST /rebalance": "a,b"}',
        '{"POST /rebalance": 1}',
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is required|Expecting|a rule is"):
        parse_capability_rules(text)
