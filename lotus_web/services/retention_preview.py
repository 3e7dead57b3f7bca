"""What a purge would remove now, counted by the very conditions that it removes by; nothing is written or locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.lineage import EntityKind
from lotus_web.models import LineageEdge, Operation, Run
from lotus_web.services.retention import OF_RUNS, Removed, may_go


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


def preview_operations(session: Session, *, cutoff: datetime) -> Removed:
    """Return how many finished operations would go."""
    query = select(func.count()).select_from(Operation).where(Operation.finished_at < cutoff)
    number = session.scalar(query) or 0
    return Removed({"operations": number} if number else {})
