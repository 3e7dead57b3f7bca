"""Legal holds: protect a run or a proposal from retention whatever its age; set and lifted with a reason (delta 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import Conflict, NotFound, RunNotFound
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.proposals.refusals import ProposalNotFound
from lotus_web.domain.retention import RetentionEntryType, check_hold_reason
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.surface import Surface
from lotus_web.models import Proposal, RetentionEntry, Run
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events.log import lock_tenant

UNCHANGED = "LEGAL_HOLD_UNCHANGED"


@dataclass(frozen=True, slots=True)
class Holdable:
    """What can be held: the column of its id, the error for an unknown id, its noun, and what the audit log calls setting and lifting."""

    id_column: InstrumentedAttribute[str]
    unknown: type[NotFound]
    noun: str
    set_as: str
    lifted_as: str


HOLDABLE: Mapping[EntityKind, Holdable] = {
    EntityKind.RUN: Holdable(Run.rebalance_run_id, RunNotFound, "run", "legal_hold_set", "legal_hold_lifted"),
    EntityKind.PROPOSAL: Holdable(
        Proposal.proposal_id, ProposalNotFound, "proposal", "proposal_hold_set", "proposal_hold_lifted"
    ),
}


def set_legal_hold(
    session: Session,
    entity_id: str,
    *,
    kind: EntityKind = EntityKind.RUN,
    hold: bool,
    reason: str | None,
    actor: Actor,
    surface: Surface,
    now: datetime,
) -> None:
    """Set or lift the legal hold of a run or a proposal; recorded in the retention log and in the audit log.

    Raises Forbidden, InvalidInput, NotFound with the code of its kind, or Conflict ``LEGAL_HOLD_UNCHANGED``.
    """
    check_permission(actor, Permission.ADMIN)
    text, holdable = check_hold_reason(reason), HOLDABLE[kind]
    lock_tenant(session, actor.tenant_id)  # before the run, as a purge does: the entry is appended under it
    held = _locked(session, actor.tenant_id, holdable, entity_id)
    if held.legal_hold == hold:
        state = "already under legal hold" if hold else "not under legal hold"
        raise Conflict(UNCHANGED, Sentence("The {noun} is {state}.", noun=holdable.noun, state=state))
    held.legal_hold = hold
    entry_type = RetentionEntryType.HOLD_SET if hold else RetentionEntryType.HOLD_LIFTED
    session.add(
        RetentionEntry(
            tenant_id=actor.tenant_id,
            entry_type=entry_type.value,
            entity_id=entity_id,
            actor_id=actor.decider_id,
            reason=text,
            details={"recorded_by": actor.actor_id, "surface": surface.value, "portfolio_id": held.portfolio_id},
            recorded_at=now,
        )
    )
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=actor,
        action=holdable.set_as if hold else holdable.lifted_as,
        subject=entity_id,
        code=entry_type.value,
        message=text,
        surface=surface,
        now=now,
    )


def _locked(session: Session, tenant_id: str, holdable: Holdable, entity_id: str) -> Run | Proposal:
    """Return the row, locked against a purge at the same moment."""
    model = holdable.id_column.class_
    query = select(model).where(model.tenant_id == tenant_id, holdable.id_column == entity_id)
    found: Run | Proposal | None = session.scalars(
        query.with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise holdable.unknown
    return found
