"""What a purge would remove now, counted from the table and the conditions that it removes by; nothing is written or locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.states import TERMINAL
from lotus_web.models import Proposal, Run
from lotus_web.services.retention.purge import Removed
from lotus_web.services.retention.targets import PROPOSALS, RUNS, Dependents, Target, is_purgeable_run


def preview_purge(session: Session, targets: Iterable[Target]) -> Removed:
    """Return how many rows of each kind would go, purged in this order. Costs as much as there is to remove.

    A row that goes with several things, as an edge does, is counted once: with the first of them.
    """
    found = Removed()
    not_counted: dict[tuple[Any, str], list[ColumnElement[bool]]] = defaultdict(list)
    for target in targets:
        ids = select(target.purgeable.id_column).where(target.expired())
        for dependents in target.purgeable.dependents:
            if dependents.reported_as:
                others = not_counted[dependents.model, target.tenant_id]
                rows = select(func.count()).select_from(dependents.model).where(target.match(dependents, ids), *others)
                found[dependents.reported_as] += session.scalar(rows) or 0
                others.append(~_goes_with(target, dependents))
    return found


def _goes_with(target: Target, dependents: Dependents) -> ColumnElement[bool]:
    """The same condition for a row at a time, which finds the owner by its key."""
    owner = target.purgeable.id_column
    own = exists().where(owner == dependents.id_column, target.expired()).correlate(dependents.model)
    return own if dependents.kind_column is None else own & (dependents.kind_column == target.purgeable.kind.value)


def stored_longer(session: Session, targets: Iterable[Target]) -> dict[str, int]:
    """Return how many old runs and ended proposals stay, and why; a run that is held and has an open item counts as held."""
    kept = {"legal_hold": 0, "open_item": 0}
    for target in targets:
        if target.purgeable is RUNS:
            old = (Run.tenant_id == target.tenant_id, Run.created_at < target.cutoff)
            query = select(func.count()).select_from(Run).where(*old)
            open_item = Run.legal_hold.is_(False) & ~is_purgeable_run(target.cutoff)
            kept["legal_hold"] += session.scalar(query.where(Run.legal_hold)) or 0
            kept["open_item"] += session.scalar(query.where(open_item)) or 0
        if target.purgeable is PROPOSALS:
            held = (Proposal.tenant_id == target.tenant_id, Proposal.last_event_at < target.cutoff, Proposal.legal_hold)
            ended = Proposal.current_state.in_(sorted(TERMINAL))
            query = select(func.count()).select_from(Proposal).where(ended, *held)
            kept["legal_hold"] += session.scalar(query) or 0
    return kept
