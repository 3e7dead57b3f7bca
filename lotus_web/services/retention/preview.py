"""What a purge would remove now, counted by the very conditions that it removes by; nothing is written or locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lotus_web.domain.lineage import EntityKind
from lotus_web.models import LineageEdge, Operation, Run
from lotus_web.services.retention.rows import Removed
from lotus_web.services.retention.runs import OF_RUNS, may_go

_SOURCE, _TARGET = aliased(Operation), aliased(Operation)
_LEAVES = and_(
    LineageEdge.source_kind == EntityKind.OPERATION.value,
    LineageEdge.tenant_id == _SOURCE.tenant_id,
    LineageEdge.source_entity_id == _SOURCE.operation_id,
)
_ARRIVES = and_(
    LineageEdge.target_kind == EntityKind.OPERATION.value,
    LineageEdge.tenant_id == _TARGET.tenant_id,
    LineageEdge.target_entity_id == _TARGET.operation_id,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Runs past the cutoff that stay: held, or with an item that is still open."""

    legal_hold: int
    open_item: int


def preview_runs(session: Session, tenant_id: str, *, cutoff: datetime) -> Removed:
    """Return how many rows of each thing would go with a tenant's expired runs; costs as much as there are of those."""
    expired = select(Run.rebalance_run_id).where(Run.tenant_id == tenant_id, may_go(cutoff))
    found = {"edges": _edges(session, tenant_id, expired)}
    for name, model in OF_RUNS.items():
        query = select(func.count()).select_from(model)
        found[name] = (
            session.scalar(query.where(model.tenant_id == tenant_id, model.rebalance_run_id.in_(expired))) or 0
        )
    return Removed(found)


def _edges(session: Session, tenant_id: str, expired: Select[str]) -> int:
    """Count edges that name an expired run at either end, those that do at both once."""
    leaves = and_(LineageEdge.source_kind == EntityKind.RUN.value, LineageEdge.source_entity_id.in_(expired))
    arrives = and_(LineageEdge.target_kind == EntityKind.RUN.value, LineageEdge.target_entity_id.in_(expired))
    own = select(func.count()).select_from(LineageEdge).where(LineageEdge.tenant_id == tenant_id)
    once = [session.scalar(own.where(condition)) or 0 for condition in (leaves, arrives)]
    return sum(once) - (session.scalar(own.where(leaves, arrives)) or 0)


def kept_runs(session: Session, tenant_id: str, *, cutoff: datetime) -> Kept:
    """Return how many old runs stay, and why; a held run with an open item counts as held."""
    own = select(func.count()).select_from(Run).where(Run.tenant_id == tenant_id, Run.created_at < cutoff)
    held = session.scalar(own.where(Run.legal_hold)) or 0
    reviewed = session.scalar(own.where(Run.legal_hold.is_(False), ~may_go(cutoff))) or 0
    return Kept(held, reviewed)


def preview_operations(session: Session, *, cutoff: datetime, runs_cutoff: datetime | None) -> Removed:
    """Return how many finished operations would go, and how many edges once the runs of ``runs_cutoff`` have gone."""
    query = select(func.count()).select_from(Operation).where(Operation.finished_at < cutoff)
    number = session.scalar(query) or 0
    return Removed(operations=number, edges=_edges_of_operations(session, cutoff, runs_cutoff)) if number else Removed()


def _edges_of_operations(session: Session, cutoff: datetime, runs_cutoff: datetime | None) -> int:
    """Count edges that name an expired operation at either end, those that do at both once, those of expired runs not."""
    own = select(func.count()).select_from(LineageEdge)
    if runs_cutoff is not None:
        own = own.where(~_names_expired_run(runs_cutoff))
    leaving = own.join(_SOURCE, _LEAVES).where(_SOURCE.finished_at < cutoff)
    arriving = own.join(_TARGET, _ARRIVES).where(_TARGET.finished_at < cutoff)
    both = leaving.join(_TARGET, _ARRIVES).where(_TARGET.finished_at < cutoff)
    sources, targets, twice = (session.scalar(query) or 0 for query in (leaving, arriving, both))
    return sources + targets - twice


def _names_expired_run(cutoff: datetime) -> ColumnElement[bool]:
    ends = (
        (LineageEdge.source_kind, LineageEdge.source_entity_id),
        (LineageEdge.target_kind, LineageEdge.target_entity_id),
    )
    run = exists().where(Run.tenant_id == LineageEdge.tenant_id, may_go(cutoff))
    return or_(*(run.where(kind == EntityKind.RUN.value, Run.rebalance_run_id == name) for kind, name in ends))
