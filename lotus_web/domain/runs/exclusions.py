"""What the engine would not or could not do in a run: excluded names, dropped and cut orders, limits at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Document = Mapping[str, Any]

_LOCKED = "LOCKED_DUE_TO_"
_SHELF = "SHELF_STATUS_"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Something that the engine would not or could not do, and why."""

    name: str
    reason_code: str
    detail: str
    amount: Decimal | None = None
    currency: str | None = None


def exclusions(result: Document) -> Iterator[Exclusion]:
    """Yield what was excluded, dropped, left out, capped or cut, in that order (engine §2)."""
    journal = result["diagnostics"]
    excluded = result["universe"]["excluded"]
    locked = {row["instrument_id"] for row in excluded if row["reason_code"].startswith(_LOCKED)}
    for row in excluded:
        if row["instrument_id"] in locked and row["reason_code"].startswith(_SHELF):
            continue  # the lock says the same and more
        yield Exclusion(row["instrument_id"], row["reason_code"], _excluded(row["reason_code"]))
    for row in journal["dropped_intents"]:
        money = row["potential_notional"]
        yield Exclusion(
            row["instrument_id"],
            row["reason"],
            "Order dropped: it did not fit the turnover limit",
            Decimal(money["amount"]),
            money["currency"],
        )
    for row in journal["suppressed_intents"]:
        money = row["intended_notional"]
        yield Exclusion(
            row["instrument_id"],
            row["reason"],
            "Order left out: below the smallest size",
            Decimal(money["amount"]),
            money["currency"],
        )
    for row in journal["group_constraint_events"]:
        weight = f"{Decimal(row['group_weight_before']) * 100:.2f}% against a limit of {Decimal(row['max_weight']) * 100:.2f}%"
        yield Exclusion(row["constraint_key"], f"GROUP_{row['status']}", f"Group limit: the model has {weight}")
    for row in journal["tax_budget_constraint_events"]:
        asked, allowed = Decimal(row["requested_quantity"]), Decimal(row["allowed_quantity"])
        yield Exclusion(
            row["instrument_id"],
            row["reason_code"],
            f"Sale cut from {asked:,f} to {allowed:,f} units by the gains budget",
        )


def _excluded(code: str) -> str:
    if code == f"{_LOCKED}MISSING_SHELF":
        return "Held, but not on the shelf: it cannot be traded"
    if code.startswith(_LOCKED):
        return f"Held, and {_words(code, _LOCKED)} on the shelf: it cannot be traded"
    if code == f"{_SHELF}SELL_ONLY":
        return "Sell only on the shelf: it may be sold but not bought"
    if code.startswith(_SHELF):
        return f"In the model, but {_words(code, _SHELF)} on the shelf: its weight is redistributed"
    return "Excluded from free trading"


def _words(code: str, prefix: str) -> str:
    return code.removeprefix(prefix).replace("_", " ").lower()
