"""Search: the records that a text names exactly, else those that contain it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session

from lotus_web.domain.identifiers import runs_named_by
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.operations import OperationFamily, OperationType
from lotus_web.models import (
    Decision,
    IdempotencyKey,
    LineageEdge,
    Operation,
    Proposal,
    ProposalApproval,
    ProposalEventRow,
    ProposalKey,
    ProposalVersion,
    Run,
    WorkflowItem,
)
from lotus_web.queries.items.open import all_open
from lotus_web.queries.operations.lookup import Families

MOST_EACH = 20
MOST_PORTFOLIOS = 5
OPERATION_TITLES = {
    OperationType.ANALYZE_SCENARIOS.value: "Analysis of scenarios",
    OperationType.CREATE_PROPOSAL.value: "New proposal",
    OperationType.CREATE_PROPOSAL_VERSION.value: "New version of a proposal",
}
EVERY_FAMILY: Families = tuple(OperationFamily)


@dataclass(frozen=True, slots=True)
class Hit:
    """A run, an item, an operation or a proposal that was found, and which of its fields matched."""

    kind: EntityKind
    entity_id: str
    named_as: str
    title: str
    status: str
    at: datetime


def find_exact(session: Session, tenant_id: str, text: str, *, families: Families = EVERY_FAMILY) -> tuple[Hit, ...]:
    """Return the records that the whole text names, newest first within each kind; nineteen queries at most.

    Of operations, those of ``families``.

    A batch leads to the operation that carried it out and to the runs of its scenarios. What leads to a record over
    another one is read first: as a part of one query either store may walk through all that it leads to.
    """
    decisions = select(Decision.run_id).where(Decision.tenant_id == tenant_id).limit(MOST_EACH)
    decided = decisions.where(Decision.decision_id == text)
    decided_under = decisions.where(Decision.correlation_id == text)
    keyed = select(IdempotencyKey.rebalance_run_id).where(
        IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.idempotency_key == text
    )
    in_batch = _scenario_runs(session, tenant_id, text)
    operations = _operation_query(tenant_id, families)
    run_ids = runs_named_by(text)
    return _once(
        [
            *_operations(session, operations, "operation", Operation.operation_id == text),
            *_operations(session, operations, "correlation", Operation.correlation_id == text),
            *_operations_of(session, operations, "batch", _carried_out(session, tenant_id, in_batch)),
            *_runs_of(session, tenant_id, "run", run_ids),
            *_runs(session, tenant_id, "correlation", Run.correlation_id == text),
            *_runs_of(session, tenant_id, "correlation", _traced_runs(session, tenant_id, text)),
            *_runs_of(session, tenant_id, "correlation", session.scalars(decided_under).all()),
            *_runs_of(session, tenant_id, "idempotency key", session.scalars(keyed).all()),
            *_runs(session, tenant_id, "request hash", Run.request_hash == text),
            *_runs_of(session, tenant_id, "decision", session.scalars(decided).all()),
            *_runs_of(session, tenant_id, "batch", in_batch),
            *_proposals_named(session, tenant_id, text),
            *_items(session, tenant_id, "item", WorkflowItem.workflow_id == text),
        ]
    )


def find_related(session: Session, tenant_id: str, text: str) -> tuple[Hit, ...]:
    """Return the newest items, runs and proposals of portfolios whose id begins with the text, items of a trace, and open items that contain it."""
    holds = WorkflowItem.title.icontains(text, autoescape=True) | WorkflowItem.request_reason.icontains(
        text, autoescape=True
    )
    portfolios = _portfolios(session, tenant_id, text)
    return _once(
        [
            *(
                hit
                for name in portfolios
                for hit in _items(session, tenant_id, "portfolio", WorkflowItem.portfolio_id == name)
            ),
            *_items(session, tenant_id, "trace", WorkflowItem.trace_id == text),
            *(hit for name in portfolios for hit in _runs(session, tenant_id, "portfolio", Run.portfolio_id == name)),
            *(hit for name in portfolios for hit in _proposals_of(session, tenant_id, name)),
            *_items(session, tenant_id, "open item", and_(*all_open(tenant_id), holds)),
        ]
    )


def _portfolios(session: Session, tenant_id: str, text: str) -> list[str]:
    """Return the text and the first portfolios with runs whose id begins with it, as typed or in capitals; one query each."""
    found = [text]
    for start in dict.fromkeys((text, text.upper())):
        first = Run.portfolio_id >= start
        while len(found) < MOST_PORTFOLIOS:
            name = session.scalar(select(func.min(Run.portfolio_id)).where(Run.tenant_id == tenant_id, first))
            if name is None or not name.startswith(start):
                break
            found.append(name)
            first = Run.portfolio_id > name
    return list(dict.fromkeys(found))


def lineage_start(session: Session, tenant_id: str, text: str) -> str | None:
    """Return the id from whose edges to start for a text that has none itself: of an artifact, a request hash, an item.

    The newest run that the text names, an item's run or trace; None for a text that names nothing.
    """
    hit = next(iter(find_exact(session, tenant_id, text)), None)
    if hit is None or hit.kind is not EntityKind.ITEM:
        return None if hit is None else hit.entity_id
    query = select(WorkflowItem.rebalance_run_id, WorkflowItem.trace_id)
    query = query.where(WorkflowItem.tenant_id == tenant_id, WorkflowItem.workflow_id == hit.entity_id)
    run_id, trace_id = session.execute(query).one()
    return run_id or trace_id


def _scenario_runs(session: Session, tenant_id: str, batch_id: str) -> list[str]:
    """Return the runs of a batch, by their lineage edges: runs have no column for it."""
    query = select(LineageEdge.source_entity_id).where(
        LineageEdge.tenant_id == tenant_id,
        LineageEdge.target_entity_id == batch_id,
        LineageEdge.target_kind == EntityKind.BATCH.value,
        LineageEdge.edge_type == EdgeType.DERIVED_FROM.value,
    )
    return list(session.scalars(query.order_by(LineageEdge.created_at, LineageEdge.edge_id).limit(MOST_EACH)))


def _traced_runs(session: Session, tenant_id: str, correlation_id: str) -> list[str]:
    """Return the runs that a request led to which was not theirs: one that replayed them, or asked for several."""
    query = select(LineageEdge.target_entity_id).where(
        LineageEdge.tenant_id == tenant_id,
        LineageEdge.source_entity_id == correlation_id,
        LineageEdge.source_kind == EntityKind.CORRELATION.value,
        LineageEdge.target_kind == EntityKind.RUN.value,
    )
    return list(session.scalars(query.order_by(LineageEdge.created_at, LineageEdge.edge_id).limit(MOST_EACH)))


def _carried_out(session: Session, tenant_id: str, run_ids: list[str]) -> list[str]:
    """Return the operations that caused runs."""
    if not run_ids:
        return []
    query = select(LineageEdge.target_entity_id).where(
        LineageEdge.tenant_id == tenant_id,
        LineageEdge.source_entity_id.in_(run_ids),
        LineageEdge.edge_type == EdgeType.CAUSED_BY.value,
    )
    return list(dict.fromkeys(session.scalars(query)))


OperationQuery = Select[str, str, str, datetime]


def _operations_of(
    session: Session, operations: OperationQuery, named_as: str, operation_ids: Sequence[str]
) -> list[Hit]:
    if not operation_ids:
        return []
    query = operations.where(Operation.operation_id.in_(operation_ids))
    return _newest_first(_operation_hits(session, named_as, query))


def _operations(
    session: Session, operations: OperationQuery, named_as: str, condition: ColumnElement[bool]
) -> list[Hit]:
    query = operations.where(condition)
    query = query.order_by(Operation.created_at.desc(), Operation.operation_id.desc()).limit(MOST_EACH)
    return _operation_hits(session, named_as, query)


def _operation_query(tenant_id: str, families: Families) -> OperationQuery:
    columns = (Operation.operation_id, Operation.operation_type, Operation.status, Operation.created_at)
    return select(*columns).where(Operation.tenant_id == tenant_id, Operation.family.in_(families))


def _operation_hits(session: Session, named_as: str, query: Select[str, str, str, datetime]) -> list[Hit]:
    return [
        Hit(EntityKind.OPERATION, operation_id, named_as, OPERATION_TITLES.get(kind, kind), status, at)
        for operation_id, kind, status, at in session.execute(query)
    ]


def _runs_of(session: Session, tenant_id: str, named_as: str, run_ids: Iterable[str | None]) -> list[Hit]:
    known = list(dict.fromkeys(run_id for run_id in run_ids if run_id is not None))
    if not known:
        return []
    return _newest_first(_run_hits(session, named_as, _run_query(tenant_id).where(Run.rebalance_run_id.in_(known))))


def _runs(session: Session, tenant_id: str, named_as: str, condition: ColumnElement[bool]) -> list[Hit]:
    query = _run_query(tenant_id).where(condition).order_by(Run.created_at.desc()).limit(MOST_EACH)
    return _run_hits(session, named_as, query)


def _run_query(tenant_id: str) -> Select[str, str, str, datetime]:
    return select(Run.rebalance_run_id, Run.portfolio_id, Run.status, Run.created_at).where(Run.tenant_id == tenant_id)


def _run_hits(session: Session, named_as: str, query: Select[str, str, str, datetime]) -> list[Hit]:
    return [
        Hit(EntityKind.RUN, run_id, named_as, f"Rebalance {portfolio_id}", status, at)
        for run_id, portfolio_id, status, at in session.execute(query)
    ]


# What names a proposal, by the column that holds it; each has its index. The proposal's own id comes first.
_NAMES_OF_PROPOSALS = (
    ("proposal", Proposal.proposal_id),
    ("version", ProposalVersion.proposal_version_id),
    ("event", ProposalEventRow.event_id),
    ("approval", ProposalApproval.approval_id),
    ("correlation", ProposalVersion.correlation_id),
    ("idempotency key", ProposalKey.idempotency_key),
    ("request hash", ProposalVersion.request_hash),
    ("artifact hash", ProposalVersion.artifact_hash),
)


def _proposals_named(session: Session, tenant_id: str, text: str) -> list[Hit]:
    """Return the proposals that a text names, also by one of their versions, events or approvals; two queries."""
    named = union_all(
        *(
            select(literal(named_as), column.class_.proposal_id)
            .where(column.class_.tenant_id == tenant_id, column == text)
            .limit(MOST_EACH)
            .subquery()
            .select()
            for named_as, column in _NAMES_OF_PROPOSALS
        )
    )
    by_id: dict[str, str] = {}
    for named_as, proposal_id in session.execute(named):
        by_id.setdefault(proposal_id, named_as)
    if not by_id:
        return []
    query = _proposal_query(tenant_id).where(Proposal.proposal_id.in_(sorted(by_id)))
    return _newest_first([_proposal_hit(by_id[row.proposal_id], row) for row in session.execute(query)])[:MOST_EACH]


def _proposals_of(session: Session, tenant_id: str, portfolio_id: str) -> list[Hit]:
    query = _proposal_query(tenant_id).where(Proposal.portfolio_id == portfolio_id)
    query = query.order_by(Proposal.created_at.desc(), Proposal.proposal_id.desc()).limit(MOST_EACH)
    return [_proposal_hit("portfolio", row) for row in session.execute(query)]


def _proposal_query(tenant_id: str) -> Select[*tuple[Any, ...]]:
    columns = (Proposal.proposal_id, Proposal.title, Proposal.portfolio_id, Proposal.current_state, Proposal.created_at)
    return select(*columns).where(Proposal.tenant_id == tenant_id)


def _proposal_hit(named_as: str, row: Row[*tuple[Any, ...]]) -> Hit:
    title = row.title or f"Proposal {row.portfolio_id}"
    return Hit(EntityKind.PROPOSAL, row.proposal_id, named_as, title, row.current_state, row.created_at)


def _newest_first(hits: list[Hit]) -> list[Hit]:
    """Order what a few ids name here: asked to, SQLite would walk through all that is stored in that order."""
    return sorted(hits, key=lambda hit: (hit.at, hit.entity_id), reverse=True)


def _items(session: Session, tenant_id: str, named_as: str, condition: ColumnElement[bool]) -> list[Hit]:
    query = select(WorkflowItem.workflow_id, WorkflowItem.title, WorkflowItem.status, WorkflowItem.requested_at)
    query = query.where(WorkflowItem.tenant_id == tenant_id, condition)
    query = query.order_by(WorkflowItem.requested_at.desc(), WorkflowItem.workflow_id.desc()).limit(MOST_EACH)
    return [
        Hit(EntityKind.ITEM, workflow_id, named_as, title, status, at)
        for workflow_id, title, status, at in session.execute(query)
    ]


def _once(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    first: dict[tuple[EntityKind, str], Hit] = {}
    for hit in hits:
        first.setdefault((hit.kind, hit.entity_id), hit)
    return tuple(first.values())
