"""The list of proposals, newest first (proposals-api §1 route 2): keyset-paged, one query a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.paging import Page
from lotus_web.models import Proposal
from lotus_web.queries import conditions, keyset
from lotus_web.queries.proposals.rows import ProposalSummary

EXPORT_BATCH = 500
NEWEST = keyset.Order(Proposal.created_at, Proposal.proposal_id, descending=True)
SUMMARY = tuple(getattr(Proposal, field.name) for field in fields(ProposalSummary))


@dataclass(frozen=True, slots=True)
class ProposalFilter:
    """Which proposals to list; a field that is None filters nothing, an unknown value matches none. Bounds are inclusive."""

    portfolio_id: str | None = None
    state: str | None = None
    created_by: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


def proposal_page(
    session: Session, tenant_id: str, filters: ProposalFilter, *, limit: int, cursor: str | None
) -> Page[ProposalSummary]:
    """Return a page, newest first by (created_at, id); raises InvalidInput ``INVALID_CURSOR``."""
    query = select(*SUMMARY).where(*_conditions(tenant_id, filters))
    return keyset.page(session, query, NEWEST, row=lambda found: ProposalSummary(*found), limit=limit, cursor=cursor)


def all_proposals(session: Session, tenant_id: str, filters: ProposalFilter) -> Iterator[ProposalSummary]:
    """Yield every matching proposal, newest first, a batch at a time, for the export."""
    return keyset.all_rows(
        session, lambda cursor: proposal_page(session, tenant_id, filters, limit=EXPORT_BATCH, cursor=cursor)
    )


def _conditions(tenant_id: str, filters: ProposalFilter) -> list[ColumnElement[bool]]:
    exact = {
        Proposal.portfolio_id: filters.portfolio_id,
        Proposal.current_state: filters.state,
        Proposal.created_by: filters.created_by,
    }
    return [
        Proposal.tenant_id == tenant_id,
        *conditions.equal(exact),
        *conditions.between(Proposal.created_at, filters.created_from, filters.created_to),
    ]
