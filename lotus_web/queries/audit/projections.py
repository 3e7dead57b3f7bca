"""Verifying that what pages and clients are shown says what the log says, table after table."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from lotus_web.queries.audit.decisions import verify_decisions
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.queries.audit.moved_rows import verify_standing
from lotus_web.queries.audit.proposals import verify_proposals


def verify_projections(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for everything in which the rows of a tenant and its log, which is intact, disagree."""
    yield from verify_facts(session, tenant_id)
    yield from verify_decisions(session, tenant_id)
    yield from verify_proposals(session, tenant_id)
    yield from verify_standing(session, tenant_id)
