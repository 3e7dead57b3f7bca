"""Why a run needs a person, in sentences: from a result document to failing rules with measured against limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus_web.domain.runs.notes import engine_note

HUNDRED = Decimal(100)
CAPPED = "CAPPED_BY_MAX_WEIGHT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding that blocks or qualifies a run; ``severity`` is HARD, SOFT or INFO."""

    rule_id: str
    severity: str
    reason_code: str
    sentence: str
    measured: str | None = None
    threshold: Mapping[str, str] | None = None
    hint: str | None = None


def findings(result: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return what a person has to look at, hard failures first; empty for a clean run."""
    failing = [rule for rule in result["rule_results"] if rule["status"] == "FAIL"]
    failing.sort(key=lambda rule: rule["severity"] != "HARD")
    found = tuple(_rule_finding(rule, result) for rule in failing)
    if found or result["status"] == "READY":
        return found
    return tuple(_target_findings(result)) or (_unexplained(result),)


def headline(result: Mapping[str, Any]) -> str:
    """Return the one sentence that says why a run needs a person."""
    found = findings(result)
    if not found:
        return f"The run is {result['status']} and the gate asks for a review."
    more = len(found) - 1
    return found[0].sentence + (f" (+{more} more)" if more else "")


def _rule_finding(rule: Mapping[str, Any], result: Mapping[str, Any]) -> Finding:
    return Finding(
        rule_id=rule["rule_id"],
        severity=rule["severity"],
        reason_code=rule["reason_code"],
        sentence=_sentence(rule, result),
        measured=rule["measured"],
        threshold=rule["threshold"],
        hint=rule.get("remediation_hint"),
    )


def _sentence(rule: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    measured, limit = Decimal(rule["measured"]), rule["threshold"]
    match rule["rule_id"]:
        case "CASH_BAND":
            low, high = _percent(limit["min"]), _percent(limit["max"])
            return f"Cash would be {_percent(measured)} of the portfolio; the band is {low} to {high}."
        case "SINGLE_POSITION_MAX":
            return (
                f"One position would be {_percent(measured)} of the portfolio; the limit is {_percent(limit['max'])}."
            )
        case "DATA_QUALITY":
            return _missing_data(result["diagnostics"]["data_quality"])
        case "NO_SHORTING":
            return f"A sale would exceed what is held, by {_plain(abs(measured))}."
        case "INSUFFICIENT_CASH":
            return f"Cash would be overdrawn by {_plain(abs(measured))}."
        case "RECONCILIATION":
            return f"Value before and after differs by {_plain(measured)}; {_plain(limit['max'])} is tolerated."
        case "SETTLEMENT_CASH_LADDER":
            return f"Settlement would overdraw cash by {_plain(measured)} ({rule['reason_code']})."
        case "PROPOSAL_INPUT_GUARDS" | "PROPOSAL_FUNDING_DQ":
            return engine_note(f"PROPOSAL_{rule['reason_code'].removeprefix('PROPOSAL_')}").sentence or rule["rule_id"]
    return f"{rule['rule_id']}: measured {_plain(measured)} ({rule['reason_code']})."


def _missing_data(quality: Mapping[str, list[str]]) -> str:
    words = {"price_missing": "price", "fx_missing": "FX rate", "shelf_missing": "shelf entry"}
    parts = [f"no {word} for {_names(quality[key])}" for key, word in words.items() if quality.get(key)]
    text = "; ".join(parts) or "data is missing"
    return text[0].upper() + text[1:] + "."


def _names(ids: list[str]) -> str:
    shown = ", ".join(ids[:3])
    return shown if len(ids) <= 3 else f"{shown} and {len(ids) - 3} more"


def _target_findings(result: Mapping[str, Any]) -> Iterator[Finding]:
    """Say which model weights were not reached: what may not be traded one by one, what fell short in one sentence."""
    reasons = {row["instrument_id"]: row["reason_code"] for row in result["universe"]["excluded"]}
    short = [_Shortfall.of(target) for target in result["target"]["targets"] if CAPPED in target["tags"]]
    for one in short:
        if one.instrument_id in reasons:
            yield one.finding(reasons[one.instrument_id], f"{one.words}: {_exclusion(reasons[one.instrument_id])}.")
    capped = sorted(
        (one for one in short if one.instrument_id not in reasons), key=lambda one: one.weight, reverse=True
    )
    if capped:
        yield capped[0].finding(CAPPED, _shortfall_sentence(capped))


@dataclass(frozen=True, slots=True)
class _Shortfall:
    instrument_id: str
    model: Decimal
    final: Decimal

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> _Shortfall:
        return cls(target["instrument_id"], Decimal(target["model_weight"]), Decimal(target["final_weight"]))

    @property
    def weight(self) -> Decimal:
        return self.model - self.final

    @property
    def words(self) -> str:
        return f"{self.instrument_id} ends at {_percent(self.final)}, not at the model's {_percent(self.model)}"

    def finding(self, reason_code: str, sentence: str) -> Finding:
        return Finding(
            rule_id="TARGET",
            severity="SOFT",
            reason_code=reason_code,
            sentence=sentence,
            measured=str(self.final),
            threshold={"model": str(self.model)},
        )


def _exclusion(reason_code: str) -> str:
    status = reason_code.removeprefix("SHELF_STATUS_").removeprefix("LOCKED_DUE_TO_").replace("_", " ").lower()
    return f"it may not be traded freely ({status})"


def _shortfall_sentence(capped: list[_Shortfall]) -> str:
    if len(capped) == 1:
        return f"{capped[0].words}, and the rest cannot be allocated."
    together = _percent(sum((one.weight for one in capped), Decimal(0)))
    others = f"{len(capped) - 1} more fall short" if len(capped) > 2 else "one more falls short"
    return f"{capped[0].words}; {others}. Together {together} of the portfolio cannot be allocated."


def _unexplained(result: Mapping[str, Any]) -> Finding:
    warnings = result["diagnostics"]["warnings"]
    return Finding(
        rule_id="TARGET",
        severity="SOFT",
        reason_code=warnings[0] if warnings else "TARGET_NOT_REACHED",
        sentence="The model's weights could not be reached within its limits.",
    )


def _percent(weight: Decimal | str) -> str:
    return f"{Decimal(weight) * HUNDRED:.2f}%"


def _plain(value: Decimal | str) -> str:
    return f"{Decimal(value):,.2f}"
