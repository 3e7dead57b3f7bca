"""Two versions of a proposal compared: trades, cash flows, exchanges, the allocation after them, findings and the gate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.queries.proposals.lookup import proposal_version
from lotus_web.queries.proposals.rows import VersionRow
from lotus_web.queries.runs.diff import Change

Document = Mapping[str, Any]
Rows = dict[str, Document]


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """The differences between two versions; ``identical`` means that not even the portfolio or the prices differ.

    A value in ``allocation`` is the weight that the version leads to, as a share of the portfolio.
    """

    before: VersionRow
    after: VersionRow
    identical: bool
    gate: tuple[Change, ...]
    trades: tuple[Change, ...]
    flows: tuple[Change, ...]
    exchanges: tuple[Change, ...]
    allocation: tuple[Change, ...]
    issues: tuple[Change, ...]

    @property
    def tables(self) -> tuple[tuple[str, tuple[Change, ...]], ...]:
        """The tables by their names, in the order of the page."""
        return (
            ("Gate", self.gate),
            ("Trades", self.trades),
            ("Cash flows", self.flows),
            ("Currency exchanges", self.exchanges),
            ("Allocation after", self.allocation),
            ("Suitability", self.issues),
        )


def version_diff(session: Session, tenant_id: str, proposal_id: str, before: int, after: int) -> VersionDiff:
    """Compare two versions; raises NotFound ``PROPOSAL_VERSION_NOT_FOUND``. Two queries."""
    old, new = (
        proposal_version(session, tenant_id, proposal_id, number, include_evidence=False) for number in (before, after)
    )
    return diff_results(json.loads(old.result), json.loads(new.result), before=old.row, after=new.row)


def diff_results(old: Document, new: Document, *, before: VersionRow, after: VersionRow) -> VersionDiff:
    """Compare two result documents."""
    return VersionDiff(
        before=before,
        after=after,
        identical=before.request_hash == after.request_hash,
        gate=_changes(old, new, _gate),
        trades=_changes(old, new, _trades),
        flows=_changes(old, new, _flows),
        exchanges=_changes(old, new, _exchanges),
        allocation=_changes(old, new, _allocation),
        issues=_changes(old, new, _issues),
    )


def _changes(old: Document, new: Document, rows: Callable[[Document], Rows]) -> tuple[Change, ...]:
    was, now = rows(old), rows(new)
    return tuple(
        Change(key, was.get(key), now.get(key)) for key in dict.fromkeys([*was, *now]) if was.get(key) != now.get(key)
    )


def _gate(result: Document) -> Rows:
    gate = result["gate_decision"] or {}
    reasons = [row["reason_code"] for row in gate.get("reasons", ())]
    return {
        "Simulation": {"status": result["status"]},
        "Gate": {"gate": gate.get("gate"), "reasons": list(dict.fromkeys(reasons))},
    }


def _named(rows: Iterable[tuple[str, Document]]) -> Rows:
    """Return rows by name; a name that repeats gets a number, so that no row is lost."""
    found: Rows = {}
    for name, row in rows:
        key, number = name, 1
        while key in found:
            number += 1
            key = f"{name} #{number}"
        found[key] = row
    return found


def _of(result: Document, kind: str) -> list[Document]:
    return [row for row in result["intents"] if row["intent_type"] == kind]


def _trades(result: Document) -> Rows:
    return _named(
        (f"{row['side']} {row['instrument_id']}", {"quantity": row["quantity"], "notional": row["notional"]})
        for row in _of(result, "SECURITY_TRADE")
    )


def _flows(result: Document) -> Rows:
    return _named(
        (row["currency"], {"amount": row["amount"], "description": row["description"]})
        for row in _of(result, "CASH_FLOW")
    )


def _exchanges(result: Document) -> Rows:
    return _named(
        (
            f"{row['sell_currency']} → {row['buy_currency']}",
            {"buy_amount": row["buy_amount"], "sell_amount_estimated": row["sell_amount_estimated"]},
        )
        for row in _of(result, "FX_SPOT")
    )


def _allocation(result: Document) -> Rows:
    after = result["after_simulated"]
    by_class = ((row["key"], {"weight": row["weight"]}) for row in after["allocation_by_asset_class"])
    by_position = ((row["key"], {"weight": row["weight"]}) for row in after["allocation_by_instrument"])
    return _named((*by_class, *by_position))


def _issues(result: Document) -> Rows:
    scan = result["suitability"]
    return _named(
        (row["summary"], {"status_change": row["status_change"], "severity": row["severity"]})
        for row in (scan["issues"] if scan else ())
    )
