"""Precedents: earlier decisions on items that failed the same rules of the same policy (workflow.md §5)."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lotus_web.domain.canonical import content_hash

# Precedents that disagree by this share do not settle anything.
DIVERGENT_SHARE = 4
FEW = 3


def precedent_key(policy_id: str | None, metadata: Mapping[str, Any]) -> str | None:
    """Return what items share that failed the same rules of the same policy, as one short text; None without a policy."""
    if policy_id is None:
        return None
    rule_ids = metadata.get("evidence", {}).get("rule_ids", [])
    named = sorted({str(rule) for rule in rule_ids}) if isinstance(rule_ids, (list, tuple)) else []
    return content_hash({"policy_id": policy_id, "rule_ids": named})


@dataclass(frozen=True, slots=True)
class Precedent:
    """An earlier item with how it ended; ``same_rules`` is False where only the portfolio is the same."""

    workflow_id: str
    title: str
    portfolio_id: str | None
    outcome: str
    reason: str | None
    decided_by: str | None
    requested_at: datetime
    decided_at: datetime
    same_rules: bool
    decided_through: str | None = None

    @property
    def seconds(self) -> int:
        """How long the decision took."""
        return seconds_between(self.requested_at, self.decided_at)


@dataclass(frozen=True, slots=True)
class Precedents:
    """The newest few to show, and what all that were counted say together (those with the same rules only)."""

    shown: tuple[Precedent, ...]
    outcomes: Mapping[str, int]
    median_seconds: int | None

    @property
    def counted(self) -> int:
        """How many precedents with the same rules were counted."""
        return sum(self.outcomes.values())

    @property
    def close(self) -> bool:
        """Whether anything like this was decided before."""
        return self.counted > 0

    @property
    def divergent(self) -> bool:
        """Whether like cases ended differently often enough that they settle nothing."""
        if self.counted < FEW:
            return False
        most = max(self.outcomes.values())
        return (self.counted - most) * DIVERGENT_SHARE >= self.counted

    @property
    def sentence(self) -> str:
        """The line next to the decision, such as "9 of 11 like this were approved, median 14 min."."""
        if self.median_seconds is None:
            return "Nothing like this was decided before."
        outcome, most = max(self.outcomes.items(), key=lambda pair: pair[1])
        noun = "was" if self.counted == 1 else "were"
        return f"{most} of {self.counted} like this {noun} {outcome}, median {spell(self.median_seconds)}."


def seconds_between(requested_at: datetime, decided_at: datetime) -> int:
    """Return how long a decision took, in whole seconds; never negative."""
    return max(0, int((decided_at - requested_at).total_seconds()))


def summarise(shown: Iterable[Precedent], counted: Iterable[tuple[str, int]]) -> Precedents:
    """Return precedents with their outcomes, most frequent first; ``counted`` is (outcome, seconds to the decision) of each."""
    pairs = list(counted)
    outcomes = Counter(outcome for outcome, _ in pairs)
    median = int(statistics.median(seconds for _, seconds in pairs)) if pairs else None
    return Precedents(tuple(shown), dict(outcomes.most_common()), median)


def spell(seconds: int) -> str:
    """Return a span in its largest fitting unit: 40 s, 14 min, 3.5 h, 2 d."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h".replace(".0 h", " h")
    return f"{seconds // 86400} d"
