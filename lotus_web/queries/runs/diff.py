"""Two runs compared: the differences in status, targets, orders and rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.models import LineageEdge
from lotus_web.queries.runs.lookup import stored_run

Document = Mapping[str, Any]
# Fields that identify a run and are no part of its outcome.
_LABELS = ("rebalance_run_id", "correlation_id", "lineage")


@dataclass(frozen=True, slots=True)
class Change:
    """A row that differs; None on the side that does not have it. The fields of ``before`` and ``after`` depend on the list."""

    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunSide:
    """One of the two runs."""

    rebalance_run_id: str
    status: str
    engine_version: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunDiff:
    """The differences. ``identical`` means there are none besides the ids of the runs and the version of the engine."""

    before: RunSide
    after: RunSide
    identical: bool
    status_changed: bool
    targets: tuple[Change, ...]
    intents: tuple[Change, ...]
    rules: tuple[Change, ...]


def run_diff(session: Session, tenant_id: str, before_id: str, after_id: str) -> RunDiff:
    """Compare two recorded runs; raises NotFound ``DPM_RUN_NOT_FOUND``. Two queries."""
    before, after = stored_run(session, tenant_id, before_id), stored_run(session, tenant_id, after_id)
    old, new = json.loads(before.result), json.loads(after.result)
    return diff_results(old, new, before=_side(old, before.row.created_at), after=_side(new, after.row.created_at))


def replayed_from(session: Session, tenant_id: str, run_id: str) -> str | None:
    """Return the run that this one is a replay of, or None."""
    return session.scalar(
        select(LineageEdge.target_entity_id)
        .where(
            LineageEdge.tenant_id == tenant_id,
            LineageEdge.source_entity_id == run_id,
            LineageEdge.source_kind == EntityKind.RUN.value,
            LineageEdge.edge_type == EdgeType.REPLAYED_FROM.value,
        )
        .order_by(LineageEdge.created_at, LineageEdge.edge_id)
        .limit(1)
    )


def _side(result: Document, created_at: datetime) -> RunSide:
    return RunSide(
        result["rebalance_run_id"], result["status"], result["lineage"]["engine_version"] or "unknown", created_at
    )


def diff_results(old: Document, new: Document, *, before: RunSide, after: RunSide) -> RunDiff:
    """Compare two result documents."""
    return RunDiff(
        before=before,
        after=after,
        identical=substance(old) == substance(new),
        status_changed=old["status"] != new["status"],
        targets=_changes(_targets(old), _targets(new)),
        intents=_changes(_intents(old), _intents(new)),
        rules=_changes(_rules(old), _rules(new)),
    )


def substance(result: Document) -> dict[str, Any]:
    """Return a result without the ids of the run, its universe and its target, and without its lineage."""
    kept = {key: value for key, value in result.items() if key not in _LABELS}
    kept["universe"] = {key: value for key, value in result["universe"].items() if key != "universe_id"}
    kept["target"] = {key: value for key, value in result["target"].items() if key != "target_id"}
    return kept


def _targets(result: Document) -> dict[str, Document]:
    return {row["instrument_id"]: row for row in result["target"]["targets"]}


def _intents(result: Document) -> dict[str, Document]:
    """Return orders by what they trade: their ids are numbered, so one more order would make all later ones differ."""
    return _named(result["intents"], _traded, without=("intent_id", "dependencies"))


def _traded(intent: Document) -> str:
    if intent["intent_type"] == "FX_SPOT":
        return f"FX {intent['pair']} {intent['buy_currency']}"
    return f"{intent['side']} {intent['instrument_id']}"


def _rules(result: Document) -> dict[str, Document]:
    return _named(result["rule_results"], lambda row: str(row["rule_id"]), without=())


def _named(rows: Sequence[Document], name: Callable[[Document], str], *, without: Sequence[str]) -> dict[str, Document]:
    """Return rows by name; a name that repeats gets a number, so that no row is lost."""
    found: dict[str, Document] = {}
    for row in rows:
        key = first = name(row)
        number = 1
        while key in found:
            number += 1
            key = f"{first} #{number}"
        found[key] = {field: value for field, value in row.items() if field not in without}
    return found


def _changes(old: Mapping[str, Document], new: Mapping[str, Document]) -> tuple[Change, ...]:
    keys = [*old, *(key for key in new if key not in old)]
    return tuple(Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key))
