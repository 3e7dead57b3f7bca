"""An operation on proposals with what it made, which is read where it is kept: versions and events never change."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.queries.operations.lookup import OperationRow, StoredOperation
from lotus_web.queries.proposals.outcome import VersionOutcome, version_outcome


@dataclass(frozen=True, slots=True)
class ProposalOperation:
    """An operation and its outcome, None until it succeeded and once retention has removed the version."""

    row: OperationRow
    outcome: VersionOutcome | None


def proposal_operation(session: Session, tenant_id: str, stored: StoredOperation) -> ProposalOperation:
    """Return an operation with what it made."""
    if stored.result is None:
        return ProposalOperation(stored.row, None)
    try:
        outcome = version_outcome(session, tenant_id, json.loads(stored.result)["event_id"])
    except NotFound:
        outcome = None
    return ProposalOperation(stored.row, outcome)
