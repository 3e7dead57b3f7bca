"""What retention removes, as one table: runs, finished operations, ended proposals and simulations of proposals, each with
the rows that go with it (delta 16).

A new table whose rows belong to one of these is one more row here. What proves a decision (decisions, events, actions, and
the versions, events and approvals of a proposal with their hashes) stays: the store refuses its DELETE. A test walks through all tables and demands that each is here or listed as not purged, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists
from sqlalchemy.orm import InstrumentedAttribute

from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.operations import OperationFamily
from lotus_web.domain.proposals.states import TERMINAL
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.domain.support import Counter
from lotus_web.models import (
    DecisionEvidence,
    IdempotencyHistoryRow,
    IdempotencyKey,
    LineageEdge,
    Operation,
    OperationPayload,
    OperationStep,
    Proposal,
    ProposalDocument,
    ProposalKey,
    ProposalSimulation,
    Run,
    RunArtifact,
    RunPayload,
    WorkflowItem,
)

Column = InstrumentedAttribute[Any]
# The counter that a removed row is taken off, and its value there; null for a row that is not counted (services/support.py).
Counted = tuple[Counter, ColumnElement[Any] | Column]


@dataclass(frozen=True, slots=True, eq=False)
class Dependents:
    """Rows of one table that go with a run, an operation or a proposal: those whose ``id_column`` holds its id.

    ``kind_column`` tells what kind of thing the id names, where it may be any. ``reported_as`` is their name in the job's
    report. ``single``: at most one row an id. ``newest_first`` is set where there is no bound to their number: then they may be
    removed in chunks, in this order; its last column is the primary key.
    """

    id_column: Column
    reported_as: str | None = None
    kind_column: Column | None = None
    single: bool = False
    newest_first: tuple[Column, ...] = ()
    counted: Counted | None = None

    @property
    def model(self) -> Any:
        """The table."""
        return self.id_column.class_

    def match(self, kind: EntityKind, tenant_id: str, ids: Any) -> ColumnElement[bool]:
        """Return the condition for the rows that go with ``ids``, which are a list or a query."""
        of_kind = () if self.kind_column is None else (self.kind_column == kind.value,)
        return and_(self.model.tenant_id == tenant_id, self.id_column.in_(ids), *of_kind)


@dataclass(frozen=True, slots=True, eq=False)
class Purgeable:
    """A kind of thing that retention removes; ``dependents`` are in the order of removal, the thing itself among them.

    ``logged`` columns are written to the retention log.
    """

    kind: EntityKind
    entry_type: RetentionEntryType
    id_column: Column
    aged_since: Column
    is_purgeable: Callable[[datetime], ColumnElement[bool]]
    logged: tuple[Column, ...]
    dependents: tuple[Dependents, ...]

    @property
    def model(self) -> Any:
        """The table."""
        return self.id_column.class_

    @property
    def oldest_first(self) -> tuple[Column, Column]:
        """The order in which they go."""
        return self.aged_since, self.id_column

    @property
    def rows_each(self) -> int:
        """The most rows that each has apart from its dependents: single ones, and its line in the retention log."""
        return 1 + sum(dependents.single for dependents in self.dependents)


@dataclass(frozen=True, slots=True)
class Target:
    """The things of one kind and tenant from before a cutoff, purged at ``now``."""

    purgeable: Purgeable
    tenant_id: str
    cutoff: datetime
    now: datetime

    def match(self, dependents: Dependents, ids: Any) -> ColumnElement[bool]:
        """Return the condition for the dependents of some of them."""
        return dependents.match(self.purgeable.kind, self.tenant_id, ids)

    def expired(self) -> ColumnElement[bool]:
        """Return the condition for those that may go."""
        return and_(self.purgeable.model.tenant_id == self.tenant_id, self.purgeable.is_purgeable(self.cutoff))


def is_purgeable_run(cutoff: datetime) -> ColumnElement[bool]:
    """Runs that are too old, not under legal hold, and have no open item."""
    open_item = exists().where(
        WorkflowItem.tenant_id == Run.tenant_id,
        WorkflowItem.rebalance_run_id == Run.rebalance_run_id,
        WorkflowItem.resolved_at.is_(None),
    )
    return and_(Run.created_at < cutoff, Run.legal_hold.is_(False), ~open_item)


def is_purgeable_operation(cutoff: datetime) -> ColumnElement[bool]:
    """Operations that finished too long ago."""
    return Operation.finished_at < cutoff


def is_purgeable_proposal(cutoff: datetime) -> ColumnElement[bool]:
    """Proposals that ended too long ago and are not under legal hold."""
    ended = Proposal.current_state.in_(sorted(TERMINAL))
    return and_(ended, Proposal.last_event_at < cutoff, Proposal.legal_hold.is_(False))


def is_purgeable_simulation(cutoff: datetime) -> ColumnElement[bool]:
    """Simulations of proposals that are too old; what became a proposal has copies of its own."""
    return ProposalSimulation.created_at < cutoff


def _edges(id_column: Column, kind_column: Column) -> Dependents:
    newest_first = (LineageEdge.created_at, LineageEdge.edge_id)
    counted = (Counter.EDGES, LineageEdge.edge_type)
    return Dependents(id_column, "edges", kind_column, newest_first=newest_first, counted=counted)


# One end after the other: asked for both at once, a store may walk through all edges of the tenant.
EDGES = (
    _edges(LineageEdge.source_entity_id, LineageEdge.source_kind),
    _edges(LineageEdge.target_entity_id, LineageEdge.target_kind),
)
HISTORY = IdempotencyHistoryRow
REBALANCE_STATUS = case((Operation.family == OperationFamily.REBALANCE.value, Operation.status))

RUNS = Purgeable(
    kind=EntityKind.RUN,
    entry_type=RetentionEntryType.RUN_PURGED,
    id_column=Run.rebalance_run_id,
    aged_since=Run.created_at,
    is_purgeable=is_purgeable_run,
    # Enough to recognise a copy of a purged run, and to prove that it is one.
    logged=(Run.rebalance_run_id, Run.portfolio_id, Run.status, Run.created_at, Run.artifact_hash),
    dependents=(
        Dependents(RunPayload.rebalance_run_id, "payloads", single=True),
        Dependents(RunArtifact.rebalance_run_id, "artifacts", single=True),
        Dependents(DecisionEvidence.entity_id, kind_column=DecisionEvidence.entity_kind),
        # History and edges come after the keys: a replay that holds a key adds to both before it releases the key.
        Dependents(IdempotencyKey.rebalance_run_id, "idempotency_keys"),
        Dependents(HISTORY.rebalance_run_id, "history_rows", newest_first=(HISTORY.history_id,)),
        Dependents(Run.rebalance_run_id, "runs", single=True, counted=(Counter.RUNS, Run.status)),
        *EDGES,
    ),
)
OPERATIONS = Purgeable(
    kind=EntityKind.OPERATION,
    entry_type=RetentionEntryType.OPERATION_PURGED,
    id_column=Operation.operation_id,
    aged_since=Operation.finished_at,
    is_purgeable=is_purgeable_operation,
    logged=(Operation.status, Operation.correlation_id),
    dependents=(
        Dependents(OperationPayload.operation_id, single=True),
        Dependents(OperationStep.operation_id),
        Dependents(Operation.operation_id, "operations", single=True, counted=(Counter.OPERATIONS, REBALANCE_STATUS)),
        *EDGES,
    ),
)
PROPOSALS = Purgeable(
    kind=EntityKind.PROPOSAL,
    entry_type=RetentionEntryType.PROPOSAL_PURGED,
    id_column=Proposal.proposal_id,
    aged_since=Proposal.last_event_at,
    is_purgeable=is_purgeable_proposal,
    logged=(Proposal.proposal_id, Proposal.portfolio_id, Proposal.current_state, Proposal.current_version_no),
    dependents=(
        Dependents(ProposalDocument.proposal_id, "proposal_documents"),
        Dependents(DecisionEvidence.entity_id, kind_column=DecisionEvidence.entity_kind),
        Dependents(ProposalKey.proposal_id, "proposal_keys"),
        Dependents(Proposal.proposal_id, "proposals", single=True, counted=(Counter.PROPOSALS, Proposal.current_state)),
        *EDGES,
    ),
)
SIMULATIONS = Purgeable(
    kind=EntityKind.IDEMPOTENCY_KEY,
    entry_type=RetentionEntryType.SIMULATION_PURGED,
    id_column=ProposalSimulation.idempotency_key,
    aged_since=ProposalSimulation.created_at,
    is_purgeable=is_purgeable_simulation,
    logged=(ProposalSimulation.idempotency_key, ProposalSimulation.proposal_run_id, ProposalSimulation.request_hash),
    dependents=(Dependents(ProposalSimulation.idempotency_key, "proposal_simulations", single=True),),
)
