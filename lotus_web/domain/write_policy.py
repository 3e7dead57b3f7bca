"""The enterprise policy on writes: what every one must say of itself, and capabilities that some need (dpm-api §2).

It applies in addition to the bearer token and replaces nothing: the headers are trusted because a gateway sets them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lotus_web.domain.errors import Forbidden
from lotus_web.domain.json_members import read_json

DENIED = "authorization_policy_denied"
DENIED_MESSAGE = "The enterprise policy does not allow this write."
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REQUIRED = ("X-Actor-Id", "X-Tenant-Id", "X-Role", "X-Correlation-Id")
IDENTITIES = ("X-Service-Identity", "Authorization")
CAPABILITIES = "X-Capabilities"
# The same handlers answer under both, so a rule on one holds for the other.
VERSIONED, BARE = "/api/v1/rebalance", "/rebalance"
RULE = re.compile(rf"({'|'.join(sorted(WRITES))}) (/\S*)", re.IGNORECASE)

# (method, path prefix) -> capability
CapabilityRules = Mapping[tuple[str, str], str]
Sent = Callable[[str], str | None]


def parse_capability_rules(text: str) -> CapabilityRules:
    """Return rules from ``{"POST /rebalance/simulate": "capability", …}``; raises ValueError."""
    document = read_json(text)
    if not isinstance(document, dict):
        raise ValueError("an object is required")
    rules: dict[tuple[str, str], str] = {}
    for route, capability in document.items():
        found = RULE.fullmatch(route.strip())
        if found is None or not isinstance(capability, str) or not capability.strip() or "," in capability:
            raise ValueError("a rule is a method that writes, a path, and the one capability that it needs")
        rules[found[1].upper(), _path(found[2])] = capability.strip()
    return rules


def _path(path: str) -> str:
    """Return a path as rules are compared: without the version of the rebalance routes and without a slash at its end."""
    plain = BARE + path.removeprefix(VERSIONED) if _under(path, VERSIONED) else path
    return plain.rstrip("/")


def _under(path: str, prefix: str) -> bool:
    """Return whether a path is the prefix or goes on from it with a whole segment."""
    return path == prefix or path.startswith(f"{prefix}/")


def needed_capability(rules: CapabilityRules, *, method: str, path: str) -> str | None:
    """Return what the rule with the longest fitting path asks for, None where no rule fits."""
    plain = _path(path)
    fitting = [prefix for ruled, prefix in rules if ruled == method and _under(plain, prefix)]
    return rules[method, max(fitting, key=len)] if fitting else None


def check_write(rules: CapabilityRules, *, method: str, path: str, sent: Sent) -> None:
    """Raise Forbidden ``authorization_policy_denied`` with the first reason against a write; ``sent`` gives its headers."""

    def given(name: str) -> str:
        return (sent(name) or "").strip()

    missing = sorted(name.lower() for name in REQUIRED if not given(name))
    if missing:
        raise denied(f"missing_headers:{','.join(missing)}")
    if not any(given(name) for name in IDENTITIES):
        raise denied("missing_service_identity")
    needed = needed_capability(rules, method=method, path=path)
    if needed is not None and needed not in {one.strip() for one in given(CAPABILITIES).split(",")}:
        raise denied(f"missing_capability:{needed}")


def denied(reason: str) -> Forbidden:
    """Return the refusal of a write."""
    return Forbidden(DENIED, DENIED_MESSAGE, details={"reason": reason})
