"""Verifying that the versions of proposals still are what their hashes and the log say (proposals-api §6, delta 34)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.models import (
    EventLogEntry,
    Proposal,
    ProposalApproval,
    ProposalDocument,
    ProposalEventRow,
    ProposalVersion,
)
from lotus_web.wire.packed import unpack
from lotus_web.wire.proposals.artifact import artifact_hash
from lotus_web.wire.proposals.documents import artifact_document, evidence_document

# Documents are large: so few are in memory at a time.
BATCH = 20
_PLACE = (ProposalVersion.proposal_id, ProposalVersion.version_no)
_OWN_DOCUMENT = and_(
    ProposalDocument.tenant_id == ProposalVersion.tenant_id,
    ProposalDocument.proposal_id == ProposalVersion.proposal_id,
    ProposalDocument.version_no == ProposalVersion.version_no,
)
_IS_STORED = (
    exists()
    .where(Proposal.tenant_id == ProposalVersion.tenant_id, Proposal.proposal_id == ProposalVersion.proposal_id)
    .label("is_stored")
)
_VERSIONS = select(ProposalVersion, ProposalDocument, _IS_STORED).outerjoin(ProposalDocument, _OWN_DOCUMENT)


def verify_proposals(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for each version or approval that is not what was recorded, or lacks its record.

    A version is compared with its log entry, and its documents, until retention removes them, with its hashes. Where the
    evidence was not stored only the hash of the result can be computed again.
    """
    query = _VERSIONS.where(ProposalVersion.tenant_id == tenant_id).order_by(*_PLACE).limit(BATCH)
    after: tuple[str, int] = ("", 0)
    while rows := session.execute(query.where(tuple_(*_PLACE) > after)).all():
        logged = _logged_hashes(session, tenant_id, [row[0] for row in rows])
        for version, document, is_stored in rows:
            yield from _version_faults(version, document, is_stored=is_stored, logged=logged)
        after = (rows[-1][0].proposal_id, rows[-1][0].version_no)
        session.expunge_all()
    yield from _lost_events(session, tenant_id)


def newest_faults(session: Session) -> tuple[int, list[str]]:
    """Return how many of the newest versions were verified, and what is wrong with them; two queries."""
    newest = select(ProposalEventRow.tenant_id, ProposalEventRow.proposal_id, ProposalEventRow.related_version_no)
    newest = newest.order_by(ProposalEventRow.event_seq.desc()).limit(BATCH)
    places = list(dict.fromkeys(tuple(row) for row in session.execute(newest)))
    own = tuple_(ProposalVersion.tenant_id, *_PLACE)
    rows = session.execute(_VERSIONS.where(own.in_(places))).all() if places else []
    return len(rows), [
        fault
        for version, document, is_stored in rows
        for fault in _document_faults(version, document, is_stored=is_stored)
    ]


def _logged_hashes(session: Session, tenant_id: str, versions: Sequence[ProposalVersion]) -> Mapping[str, str]:
    """Return what the log says that each version's artifact hash is, by the version's id."""
    keys = [own_event_key(version.proposal_version_id, EventType.ACTION_PROPOSED) for version in versions]
    entries = select(EventLogEntry.payload).where(
        EventLogEntry.tenant_id == tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key.in_(keys),
    )
    return {payload["action_id"]: payload["artifact_hash"] for payload in session.scalars(entries)}


def _version_faults(
    version: ProposalVersion, document: ProposalDocument | None, *, is_stored: bool, logged: Mapping[str, str]
) -> Iterator[str]:
    logged_hash = logged.get(version.proposal_version_id)
    if logged_hash is None:
        yield f"version {version.proposal_version_id}: no log entry records it"
    elif logged_hash != version.artifact_hash:
        yield f"version {version.proposal_version_id}: its artifact hash is not the one in the log"
    yield from _document_faults(version, document, is_stored=is_stored)


def _document_faults(version: ProposalVersion, document: ProposalDocument | None, *, is_stored: bool) -> Iterator[str]:
    name = f"version {version.proposal_version_id}"
    if document is None:
        if is_stored:
            yield f"{name}: its documents are missing"
        return
    try:
        wrong = _unequal_hashes(version, document)
    except (zlib.error, ValueError, RecursionError):
        yield f"{name}: its documents cannot be read"
        return
    for what in wrong:
        yield f"{name}: the {what} does not match its hash"


def _unequal_hashes(version: ProposalVersion, document: ProposalDocument) -> list[str]:
    result = unpack(document.result)
    wrong = [] if artifact_hash(_parsed(result)) == version.simulation_hash else ["result"]
    if document.inputs is not None:
        evidence = evidence_document(
            unpack(document.inputs),
            result,
            request_hash=version.request_hash,
            artifact_hash=version.artifact_hash,
            engine_version=version.engine_version,
        )
        whole = artifact_document(unpack(document.artifact), evidence, artifact_hash=version.artifact_hash)
        if artifact_hash(_parsed(whole)) != version.artifact_hash:
            wrong.append("artifact")
    return wrong


def _parsed(document: bytes) -> Any:
    return json.loads(document)


def _lost_events(session: Session, tenant_id: str) -> Iterator[str]:
    """Look at each approval whose event is missing, or is of another proposal or version."""
    caused = and_(
        ProposalEventRow.tenant_id == ProposalApproval.tenant_id,
        ProposalEventRow.event_id == ProposalApproval.event_id,
        ProposalEventRow.proposal_id == ProposalApproval.proposal_id,
        ProposalEventRow.related_version_no == ProposalApproval.related_version_no,
    )
    query = select(ProposalApproval.approval_id).where(ProposalApproval.tenant_id == tenant_id, ~exists().where(caused))
    for approval_id in session.scalars(query.order_by(ProposalApproval.approval_seq)):
        yield f"approval {approval_id}: the event that it caused is missing"
