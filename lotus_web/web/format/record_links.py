"""The page of each kind of id; ids of kinds without a page lead to the search."""

from __future__ import annotations

from flask import url_for

from lotus_web.config.features import ASYNC_OPERATIONS, IDEMPOTENCY_HISTORY, LINEAGE, PROPOSALS, SUPPORT
from lotus_web.domain.lineage import EntityKind


def record_url(kind: str, entity_id: str) -> str:
    """Return the URL of what an id names."""
    match kind:
        case EntityKind.RUN:
            return url_for("runs.show", run_id=entity_id)
        case EntityKind.ITEM:
            return url_for("items.show", workflow_id=entity_id)
        case EntityKind.OPERATION if SUPPORT.is_on and ASYNC_OPERATIONS.is_on:
            return url_for("operations.show", operation_id=entity_id)
        case EntityKind.IDEMPOTENCY_KEY if SUPPORT.is_on and IDEMPOTENCY_HISTORY.is_on:
            return url_for("idempotency.show", key=entity_id)
        case _:
            return url_for("search.show", q=entity_id)


def proposal_url(proposal_id: str) -> str:
    """Return the URL of a proposal's page; of its trace while those pages are switched off."""
    if PROPOSALS.is_on:
        return url_for("proposal.show", proposal_id=proposal_id)
    return url_for("traces.show", trace_id=proposal_id)


def lineage_url(entity_id: str, depth: int = 1) -> str | None:
    """Return the URL of an id's lineage; None while that feature is off."""
    if not (SUPPORT.is_on and LINEAGE.is_on):
        return None
    return url_for("lineage.walk", entity_id=entity_id, depth=depth if depth > 1 else None)
