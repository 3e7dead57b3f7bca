"""What the engine noted on its way, in sentences, next to the codes of engine §2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NOTES = {
    "PARTIAL_REBALANCE_TURNOVER_LIMIT": "The turnover limit left orders out, so the portfolio moves only part of the way.",
    "QUANTITY_TRIMMED_FX_BUFFER": "Buys in foreign currency were cut so that the FX buffer stays covered.",
    "TAX_BUDGET_LIMIT_REACHED": "Sales were cut where the budget for realised gains was used up.",
    "SETTLEMENT_OVERDRAFT_UTILIZED": "Settlement uses an overdraft, within what is allowed.",
    "SIMULATION_SAFETY_CHECK_FAILED": "The orders would sell more than is held or overdraw cash.",
    "TARGET_METHOD_STATUS_DIVERGENCE": "The other target method ends with another status.",
    "TARGET_METHOD_WEIGHT_DIVERGENCE": "The other target method arrives at other weights.",
    "NO_ELIGIBLE_REDISTRIBUTION_DESTINATION": "Nothing may take the weight that a group limit cut off.",
    "INFEASIBILITY_HINT_CASH_BAND_CONTRADICTION": "The cash band leaves no weight that the positions could have.",
    "INFEASIBILITY_HINT_SINGLE_POSITION_CAPACITY": "The portfolio cannot be fully invested within the single-position limit.",
    "SOLVER_ERROR": "The solver is not installed or failed.",
    "PROPOSAL_WITHDRAWAL_NEGATIVE_CASH": "A withdrawal takes out more cash than there is.",
    "PROPOSAL_TRADE_NOT_SUPPORTED_BY_SHELF": "A purchase was left out: its instrument may not be bought.",
    "PROPOSAL_INVALID_TRADE_INPUT": "A trade was left out: its value is not in the currency of its price.",
    "PROPOSAL_MISSING_FX_FOR_FUNDING": "An exchange rate that a purchase needs is missing.",
    "PROPOSAL_MISSING_FX_NON_BLOCKING": "An exchange rate that a purchase needs is missing, which does not block here.",
    "PROPOSAL_INSUFFICIENT_FUNDING_CASH": "There is not enough cash in any currency to pay for a purchase.",
    "PROPOSAL_BUY_SKIPPED_UNFUNDED": "A purchase was left out because nothing pays for it.",
    "REFERENCE_MODEL_BASE_CURRENCY_MISMATCH": "The reference model is in another base currency, so drift was not measured.",
}
# What a code begins with, and the sentence about what follows.
NOTES_ABOUT = {
    "CAPPED_BY_GROUP_LIMIT_": "The limit for the group {rest} was reached.",
    "INFEASIBILITY_HINT_LOCKED_GROUP_WEIGHT_": "Positions that may not be sold hold more of the group {rest} than its limit.",
    "UNKNOWN_CONSTRAINT_ATTRIBUTE_": "No instrument has the attribute {rest}, so its limit was not applied.",
    "OVERDRAFT_ON_T_PLUS_": "Settlement would overdraw cash on T+{rest}.",
    "INFEASIBLE_": "The solver found no weights that keep every limit.",
    "UNBOUNDED_": "The solver found no best weights within the limits.",
    "SOLVER_NON_OPTIMAL_": "The solver stopped before it had found the best weights.",
}


@dataclass(frozen=True, slots=True)
class EngineNote:
    """A warning of the engine; ``sentence`` is None for a code that Lotus Web has no sentence for."""

    code: str
    sentence: str | None


def engine_note(code: str) -> EngineNote:
    """Return a warning with its sentence."""
    if code in NOTES:
        return EngineNote(code, NOTES[code])
    found = next((start for start in NOTES_ABOUT if code.startswith(start)), None)
    return EngineNote(code, NOTES_ABOUT[found].format(rest=code.removeprefix(found)) if found else None)


def engine_notes(result: Mapping[str, Any], *, said: Iterable[str]) -> tuple[EngineNote, ...]:
    """Return the warnings of a result document, each once, without those whose codes are ``said`` elsewhere."""
    known = set(said)
    return tuple(engine_note(code) for code in dict.fromkeys(result["diagnostics"]["warnings"]) if code not in known)
