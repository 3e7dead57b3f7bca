"""Idempotency keys of proposals: one request each, whose first answer every repetition gets (delta 39).

A key points to the event that its request caused. Events, versions and approvals never change, so the answer that is built
from them is the first one, whatever has happened since.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.domain.identifiers import check_idempotency_key
from lotus_web.models import ProposalEventRow, ProposalKey
from lotus_web.services.command import CommandContext
from lotus_web.services.idempotency import HASH_MISMATCH

CREATES = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a write left: the event from which its answer is built, and the correlation id of the call that left it.

    ``replayed`` is True where an earlier request with the same key had left it.
    """

    proposal_id: str
    event_id: str
    version_no: int
    correlation_id: str
    replayed: bool = False

    @classmethod
    def of(cls, event: ProposalEventRow, *, replayed: bool = False) -> Recorded:
        """Return what an event is the record of."""
        return cls(event.proposal_id, event.event_id, event.related_version_no, event.correlation_id, replayed=replayed)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request and the key that it came with, if any. Keys of creates belong to the tenant, others to one proposal.

    Raises InvalidInput for a key that is not 1 to 255 visible characters, whichever surface it came through.
    """

    request_hash: str
    key: str | None = None

    def __post_init__(self) -> None:
        if self.key is not None:
            check_idempotency_key(self.key)


def first_answer(session: Session, tenant_id: str, scope: str, keyed: Keyed) -> Recorded | None:
    """Return what an earlier request with the key left, None for a free key; raises Conflict where it was another request."""
    if keyed.key is None:
        return None
    caused = and_(
        ProposalEventRow.tenant_id == ProposalKey.tenant_id, ProposalEventRow.event_id == ProposalKey.event_id
    )
    query = (
        select(ProposalKey.request_hash, ProposalEventRow)
        .join(ProposalEventRow, caused)
        .where(ProposalKey.tenant_id == tenant_id, ProposalKey.scope == scope, ProposalKey.idempotency_key == keyed.key)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    request_hash, event = found
    if request_hash != keyed.request_hash:
        raise Conflict(HASH_MISMATCH)
    return Recorded.of(event, replayed=True)


def keep_key(session: Session, scope: str, keyed: Keyed, event: ProposalEventRow, context: CommandContext) -> None:
    """Point the key at the event that its request caused. The tenant's lock is held, so the key is still free."""
    if keyed.key is None:
        return
    session.add(
        ProposalKey(
            tenant_id=event.tenant_id,
            scope=scope,
            idempotency_key=keyed.key,
            request_hash=keyed.request_hash,
            proposal_id=event.proposal_id,
            event_id=event.event_id,
            created_at=context.now,
        )
    )
