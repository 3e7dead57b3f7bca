"""Which rows are entries of the log as well, and what their entries say of them.

Written by services/events/facts.py, compared by queries/audit/facts.py. A new table that anybody may rely on is one more row
here, or in the list of tests/integration/queries/audit/test_tampering.py with the reason why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, cast, exists, inspect, literal
from sqlalchemy.orm import InstrumentedAttribute

from lotus_web.domain.canonical import HASH_PREFIX
from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.events.facts import Fact, FactType
from lotus_web.domain.items.state import Origin
from lotus_web.models.decisions import Decision
from lotus_web.models.events.log import EventLogEntry
from lotus_web.models.item_actions import WorkflowAction
from lotus_web.models.operations import RetentionEntry
from lotus_web.models.runs import Run, RunArtifact, RunPayload
from lotus_web.store.types import Base


def _always(_row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class LoggedTable:
    """A table whose rows are only added, each with an entry.

    ``id_column`` names a row within its tenant, ``at`` is when it came about. ``unlogged`` columns move later and are proved
    otherwise. ``logs`` and ``logged_where`` say the same of a row and in SQL: whether it is one that has an entry.
    """

    fact_type: FactType
    noun: str
    id_column: InstrumentedAttribute[Any]
    at: str
    unlogged: frozenset[str] = frozenset()
    logs: Callable[[Any], bool] = _always
    logged_where: tuple[ColumnElement[bool], ...] = ()
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Look the columns up once."""
        names = (column.key for column in inspect(self.model).column_attrs)
        object.__setattr__(self, "columns", tuple(name for name in names if name not in self.unlogged))

    @property
    def model(self) -> Any:
        """The table."""
        return self.id_column.class_

    @property
    def has_numbers(self) -> bool:
        """Whether rows are named by numbers."""
        return isinstance(self.id_column.type, Integer)

    def document(self, row: Base) -> dict[str, Any]:
        """Return what the entry of a row says."""
        return {name: _told(getattr(row, name)) for name in self.columns}

    def fact(self, row: Any, says: Mapping[str, Any] | None = None) -> Fact:
        """Return the entry of a row as it is stored."""
        said = self.document(row) if says is None else says
        about = str(getattr(row, self.id_column.key))
        return Fact(row.tenant_id, self.fact_type, about, said, getattr(row, self.at))

    def is_logged(self) -> ColumnElement[bool]:
        """Return the condition that a row has an entry of its own, answered by the index of keys."""
        about = cast(self.id_column, String) if self.has_numbers else self.id_column
        key = EventLogEntry.idempotency_key == about.concat(literal(f":{self.fact_type.value}"))
        own = and_(EventLogEntry.tenant_id == self.model.tenant_id, EventLogEntry.producer_id == OWN_PRODUCER)
        return exists().where(own, key)


def _told(value: Any) -> Any:
    return bytes_hash(value) if isinstance(value, bytes) else value


def bytes_hash(stored: bytes) -> str:
    """Return the hash by which an entry names bytes as they are stored."""
    return HASH_PREFIX + sha256(stored).hexdigest()


ACTIONS = LoggedTable(
    FactType.ACTION_RECORDED,
    "action",
    WorkflowAction.action_id,
    "occurred_at",
    # Actions that an event caused are compared with that event (services/events/rebuild.py).
    logs=lambda row: row.origin == Origin.MANUAL.value,
    logged_where=(WorkflowAction.origin == Origin.MANUAL.value,),
)
DECISIONS = LoggedTable(FactType.DECISION_RECORDED, "decision", Decision.decision_id, "decided_at")
RETENTION = LoggedTable(FactType.RETENTION_RECORDED, "retention entry", RetentionEntry.entry_id, "recorded_at")
# A legal hold moves; the retention log tells how.
RUNS = LoggedTable(FactType.RUN_RECORDED, "run", Run.rebalance_run_id, "created_at", unlogged=frozenset({"legal_hold"}))
# Logged as soon as they are flushed. A run is not: its entry tells of its payloads too.
ADDED: Mapping[type[Base], LoggedTable] = {table.model: table for table in (ACTIONS, DECISIONS, RETENTION)}
LOGGED: Iterable[LoggedTable] = (RUNS, *ADDED.values())


def run_fact(run: Run, payload: RunPayload, artifact: RunArtifact | None) -> Fact:
    """Return the entry of a recorded run, with the hashes of the request, the result and the artifact as they are stored."""
    return RUNS.fact(run, run_document(run, payload, artifact))


def run_document(run: Run, payload: RunPayload, artifact: RunArtifact | None) -> dict[str, Any]:
    """Return what the entry of a run says."""
    return RUNS.document(run) | {
        "request": bytes_hash(payload.request),
        "result": bytes_hash(payload.result),
        "policy_pack": payload.policy_pack,
        "artifact": None if artifact is None else bytes_hash(artifact.artifact),
    }
