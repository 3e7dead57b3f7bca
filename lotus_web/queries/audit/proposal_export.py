"""The export of one proposal: everything stored about it, with the entries of the log that prove it (workflow.md §6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.models import EventLogEntry
from lotus_web.queries.audit.export import proof_of
from lotus_web.queries.lineage import LineageFilter, lineage_page
from lotus_web.queries.proposals.history import proposal_approvals, proposal_events
from lotus_web.queries.proposals.lookup import proposal_version, proposal_versions
from lotus_web.queries.proposals.rows import StoredVersion
from lotus_web.store.session import see_one_moment
from lotus_web.wire.audit import EXPORT_VERSION, sealed
from lotus_web.wire.items import instant


def export_proposal(session: Session, tenant_id: str, proposal_id: str, *, now: datetime) -> dict[str, Any]:
    """Return the export document of a proposal, version 1, with its proof; raises NotFound ``PROPOSAL_NOT_FOUND``.

    All of it is read as it was at one moment. The entries are those of its trace, which holds nothing else.
    """
    see_one_moment(session)
    proposal, versions = proposal_versions(session, tenant_id, proposal_id)
    chain = session.scalars(
        select(EventLogEntry)
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_id == proposal_id)
        .order_by(EventLogEntry.trace_seq)
    ).all()
    stored = [proposal_version(session, tenant_id, proposal_id, row.version_no) for row in versions]
    document = {
        "export_version": EXPORT_VERSION,
        "exported_at": instant(now),
        "proposal": _row(proposal),
        "versions": [_version(one) for one in stored],
        "events": [_row(row) for row in proposal_events(session, tenant_id, proposal_id)],
        "approvals": [_row(row) for row in proposal_approvals(session, tenant_id, proposal_id)],
        "edges": _edges(session, tenant_id, [proposal_id, *(row.proposal_version_id for row in versions)]),
        "proof": proof_of(session, tenant_id, chain),
    }
    return sealed(document)


def _version(version: StoredVersion) -> dict[str, Any]:
    documents = {"result": json.loads(version.result), "artifact": json.loads(version.artifact)}
    return {**_row(version.row), **documents}


def _edges(session: Session, tenant_id: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the edges of some ids, each once, oldest first."""
    pages = (lineage_page(session, tenant_id, entity_id, LineageFilter(), limit=None) for entity_id in ids)
    found = {edge.edge_id: edge for page in pages for edge in page.edges}
    return [_row(found[edge_id]) for edge_id in sorted(found)]


def _row(row: Any) -> dict[str, Any]:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in asdict(row).items()}
