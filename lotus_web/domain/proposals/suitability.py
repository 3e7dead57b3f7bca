"""The gate of a proposal and its suitability findings in sentences, read out of its result document (proposals-api §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.runs.shifts import Document

# Failing rules are findings with what was measured, so their reasons are not told twice.
RULES = "RULE_ENGINE"
REASONS = {
    "DATA_QUALITY_MISSING_PRICE": "Prices are missing.",
    "DATA_QUALITY_MISSING_FX": "Exchange rates are missing.",
    "NEW_HIGH_SUITABILITY_ISSUE": "A new suitability issue of high severity.",
    "NEW_MEDIUM_SUITABILITY_ISSUE": "A new suitability issue of medium severity.",
}


@dataclass(frozen=True, slots=True)
class GateCause:
    """One reason of the gate; ``severity`` is HIGH, MEDIUM or LOW."""

    code: str
    severity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """The gate, the step that it recommends, and why besides failing rules, the gravest reason first."""

    gate: str
    next_step: str
    causes: tuple[GateCause, ...]


@dataclass(frozen=True, slots=True)
class IssueLine:
    """A finding; ``measured`` and the limits are shares of the portfolio, None where nothing was measured."""

    issue_id: str
    dimension: str
    severity: str
    sentence: str
    measured: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None


@dataclass(frozen=True, slots=True)
class SuitabilityLines:
    """What the proposal brings, keeps and removes."""

    new: tuple[IssueLine, ...]
    persistent: tuple[IssueLine, ...]
    resolved: tuple[IssueLine, ...]


def gate_line(result: Document) -> GateLine | None:
    """Return the gate of a result, None where the request switched gates off."""
    gate = result["gate_decision"]
    if gate is None:
        return None
    issues = result["suitability"]["issues"] if result["suitability"] else ()
    causes = tuple(_cause(reason, issues) for reason in gate["reasons"] if reason["source"] != RULES)
    return GateLine(gate["gate"], gate["recommended_next_step"], causes)


def _cause(reason: Document, issues: Sequence[Document]) -> GateCause:
    code: str = reason["reason_code"]
    key = reason["details"].get("issue_key")
    told = next((issue["summary"] for issue in issues if issue["issue_key"] == key), None)
    return GateCause(code, reason["severity"], told or REASONS.get(code, code))


def suitability_lines(result: Document) -> SuitabilityLines | None:
    """Return the findings of a result by what became of them, None where there was no scan."""
    if result["suitability"] is None:
        return None
    issues = result["suitability"]["issues"]
    new, persistent, resolved = (
        tuple(_issue(row) for row in issues if row["status_change"] == change)
        for change in ("NEW", "PERSISTENT", "RESOLVED")
    )
    return SuitabilityLines(new, persistent, resolved)


def _issue(row: Document) -> IssueLine:
    details: Mapping[str, str] = row["details"]
    return IssueLine(
        issue_id=row["issue_id"],
        dimension=row["dimension"],
        severity=row["severity"],
        sentence=row["summary"],
        measured=_share(details, "measured", "measured_after"),
        lowest=_share(details, "threshold_min"),
        highest=_share(details, "threshold", "threshold_max"),
    )


def _share(details: Mapping[str, str], *names: str) -> Decimal | None:
    return next((Decimal(details[name]) for name in names if name in details), None)
