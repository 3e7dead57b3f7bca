"""Verifying rows that move, such as people, roles and tokens: each is what the last entry about it says, and is there if that says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Text, select, tuple_, type_coerce
from sqlalchemy.orm import Session, aliased

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.events.facts import fact_key
from lotus_web.models import EventLogEntry, Proposal, ProposalEventRow
from lotus_web.models.events.logged_rows import LoggedTable, is_said
from lotus_web.queries.audit.batches import in_batches

# The character after the colon that parts a key from the place in the log.
_AFTER = ";"


def moved_rows(session: Session, tenant_id: str, table: LoggedTable) -> Iterator[str]:
    """Yield a sentence for each row of a tenant's log that no entry records as it is."""
    query = select(table.model).where(*table.of_tenant(tenant_id))
    if table.of_deployment and tenant_id != DEFAULT_TENANT:
        return
    for (row,) in in_batches(session, query, [getattr(table.model, name) for name in table.key]):
        recorded = _last(session, tenant_id, table, table.about(row))
        if recorded is None:
            yield f"{table.noun} {table.about(row)}: no entry of the log records it"
        elif not is_said(table.document(row), recorded):
            yield f"{table.noun} {table.about(row)}: it is not what the log records last"


def lost_rows(session: Session, tenant_id: str, table: LoggedTable, said: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each row that is missing though the last entry about it does not say that it was removed."""
    if table.may_go:
        return
    columns = [getattr(table.model, name) for name in table.key]
    keys = [[json.loads(payload).get(name) for name in table.key] for payload in said.values()]
    query = select(table.model).where(*table.of_tenant(tenant_id), tuple_(*columns).in_(keys))
    there = {table.about(row) for row in session.scalars(query)}
    for about in said.keys() - there:
        recorded = _last(session, tenant_id, table, about)
        if recorded is not None and "removed" not in json.loads(recorded):
            yield f"{table.noun} {about}: it is missing, and no removal of it is recorded"


def _last(session: Session, tenant_id: str, table: LoggedTable, about: str) -> str | None:
    """Return what the last entry about a row says; its key is the highest of the row's."""
    key, begin = EventLogEntry.idempotency_key, fact_key(about, table.fact_type)
    query: Any = select(type_coerce(EventLogEntry.payload, Text)).where(
        EventLogEntry.tenant_id == tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        key > f"{begin}:",
        key < f"{begin}{_AFTER}",
    )
    found: str | None = session.scalar(query.order_by(key.desc()).limit(1))
    return found


def verify_standing(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for each proposal that is not where its last event left it."""
    newest = (
        select(ProposalEventRow.event_seq)
        .where(ProposalEventRow.tenant_id == Proposal.tenant_id, ProposalEventRow.proposal_id == Proposal.proposal_id)
        .order_by(ProposalEventRow.event_seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    event = aliased(ProposalEventRow)
    query: Any = (
        select(Proposal, event).outerjoin(event, event.event_seq == newest).where(Proposal.tenant_id == tenant_id)
    )
    for proposal, last in in_batches(session, query, [Proposal.proposal_id]):
        stands = (proposal.current_state, proposal.current_version_no, proposal.last_event_at)
        if last is None or stands != (last.to_state, last.related_version_no, last.occurred_at):
            yield f"proposal {proposal.proposal_id}: it is not where its last event left it"
