"""Verifying that what pages and clients are shown says what the log says, table after table."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from lotus_web.queries.audit.decisions import verify_decisions
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.queries.audit.moved_rows import verify_standing
from lotus_web.queries.audit.proposals import verify_proposals
from lotus_web.queries.audit.signatures import verify_signatures
from lotus_web.store.session import see_one_moment


def verify_projections(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for everything in which the rows of a tenant and its log, which is intact, disagree.

    Begins a read transaction: what is committed while it reads would be seen in the rows and not in the log, or the other way round.
    """
    see_one_moment(session)
    yield from verify_facts(session, tenant_id)
    yield from verify_decisions(session, tenant_id)
    yield from verify_proposals(session, tenant_id)
    yield from verify_standing(session, tenant_id)
    yield from verify_signatures(session, tenant_id)
