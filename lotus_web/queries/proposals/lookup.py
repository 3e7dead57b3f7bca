"""One proposal, its versions and its keys (proposals-api §1 routes 3, 4, 10, 11; delta 31). Every read is one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.refusals import ProposalKeyNotFound, ProposalNotFound, ProposalVersionNotFound
from lotus_web.models import Proposal, ProposalDocument, ProposalEventRow, ProposalKey, ProposalVersion
from lotus_web.queries.proposals.rows import KeyRow, ProposalDetail, ProposalSummary, StoredVersion, VersionRow
from lotus_web.wire.packed import unpack
from lotus_web.wire.proposals.documents import NOTHING, artifact_document, evidence_document

# Built once, on the bare tables: building a statement costs many times what running it does.
_proposal, _version, _document = Proposal.__table__.c, ProposalVersion.__table__.c, ProposalDocument.__table__.c
_SUMMARY = tuple(_proposal[field.name] for field in fields(ProposalSummary))
_VERSION = tuple(_version[field.name] for field in fields(VersionRow))
_HELD = (_document.result, _document.artifact, _document.inputs)
_ASKED = and_(_proposal.tenant_id == bindparam("tenant_id"), _proposal.proposal_id == bindparam("proposal_id"))
_CURRENT = and_(
    _version.tenant_id == _proposal.tenant_id,
    _version.proposal_id == _proposal.proposal_id,
    _version.version_no == _proposal.current_version_no,
)
_DOCUMENT = and_(
    _document.tenant_id == _version.tenant_id,
    _document.proposal_id == _version.proposal_id,
    _document.version_no == _version.version_no,
)
_SUMMARIES = len(_SUMMARY)
_FOR_PAGES = (_proposal.advisor_notes.label("advisor_notes"), _proposal.legal_hold.label("legal_hold"))
_BY_ID = select(*_SUMMARY).where(_ASKED)
_DETAIL = (
    select(*_SUMMARY, *_FOR_PAGES, *(column.label(f"v_{column.name}") for column in _VERSION), *_HELD)
    .join_from(Proposal.__table__, ProposalVersion.__table__, _CURRENT)
    .join(ProposalDocument.__table__, _DOCUMENT)
    .where(_ASKED)
)
_OF_PROPOSAL = and_(_version.tenant_id == bindparam("tenant_id"), _version.proposal_id == bindparam("proposal_id"))
_ONE_VERSION = (
    select(*_VERSION, *_HELD)
    .join_from(ProposalVersion.__table__, ProposalDocument.__table__, _DOCUMENT)
    .where(_OF_PROPOSAL, _version.version_no == bindparam("version_no"))
)
_VERSIONS: Select[*tuple[Any, ...]] = (
    select(*_SUMMARY, *(column.label(f"v_{column.name}") for column in _VERSION))
    .join_from(
        Proposal.__table__,
        ProposalVersion.__table__,
        and_(_version.tenant_id == _proposal.tenant_id, _version.proposal_id == _proposal.proposal_id),
    )
    .where(_ASKED)
    .order_by(_version.version_no)
)
# What the column of every store holds; no proposal comes near.
LARGEST_NUMBER = 2**31 - 1


def proposal_summary(session: Session, tenant_id: str, proposal_id: str) -> ProposalSummary:
    """Return a proposal as it stands; raises NotFound ``PROPOSAL_NOT_FOUND``."""
    found = session.execute(_BY_ID, {"tenant_id": tenant_id, "proposal_id": proposal_id}).one_or_none()
    if found is None:
        raise ProposalNotFound
    return ProposalSummary(*found)


def proposal_detail(
    session: Session, tenant_id: str, proposal_id: str, *, include_evidence: bool = True
) -> ProposalDetail:
    """Return a proposal with its current version; raises NotFound ``PROPOSAL_NOT_FOUND``."""
    found = session.execute(_DETAIL, {"tenant_id": tenant_id, "proposal_id": proposal_id}).one_or_none()
    if found is None:
        raise ProposalNotFound
    first = _SUMMARIES + len(_FOR_PAGES)
    row = VersionRow(*found[first : first + len(_VERSION)])
    version = _stored(row, found, include_evidence=include_evidence)
    return ProposalDetail(ProposalSummary(*found[:_SUMMARIES]), found.advisor_notes, found.legal_hold, version)


def proposal_version(
    session: Session, tenant_id: str, proposal_id: str, version_no: int, *, include_evidence: bool = True
) -> StoredVersion:
    """Return a version; raises NotFound ``PROPOSAL_VERSION_NOT_FOUND``, also for an unknown proposal."""
    if version_no > LARGEST_NUMBER:
        raise ProposalVersionNotFound
    asked = {"tenant_id": tenant_id, "proposal_id": proposal_id, "version_no": version_no}
    found = session.execute(_ONE_VERSION, asked).one_or_none()
    if found is None:
        raise ProposalVersionNotFound
    return _stored(VersionRow(*found[: len(_VERSION)]), found, include_evidence=include_evidence)


def proposal_versions(
    session: Session, tenant_id: str, proposal_id: str
) -> tuple[ProposalSummary, Sequence[VersionRow]]:
    """Return a proposal and its versions, oldest first; raises NotFound ``PROPOSAL_NOT_FOUND``."""
    found = session.execute(_VERSIONS, {"tenant_id": tenant_id, "proposal_id": proposal_id}).all()
    if not found:
        raise ProposalNotFound
    return ProposalSummary(*found[0][:_SUMMARIES]), [VersionRow(*row[_SUMMARIES:]) for row in found]


def _stored(row: VersionRow, found: Row[*tuple[Any, ...]], *, include_evidence: bool) -> StoredVersion:
    result = unpack(found.result)
    evidence = NOTHING
    if include_evidence and found.inputs is not None:
        evidence = evidence_document(
            unpack(found.inputs),
            result,
            request_hash=row.request_hash,
            artifact_hash=row.artifact_hash,
            engine_version=row.engine_version,
        )
    artifact = artifact_document(unpack(found.artifact), evidence, artifact_hash=row.artifact_hash)
    return StoredVersion(row, result, artifact, evidence)


def key_of_create(session: Session, tenant_id: str, key: str) -> KeyRow:
    """Return what a key created; raises NotFound ``PROPOSAL_IDEMPOTENCY_KEY_NOT_FOUND``, also for keys of other writes."""
    caused = and_(
        ProposalEventRow.tenant_id == ProposalKey.tenant_id, ProposalEventRow.event_id == ProposalKey.event_id
    )
    query = (
        select(
            ProposalKey.idempotency_key,
            ProposalKey.request_hash,
            ProposalKey.proposal_id,
            ProposalEventRow.related_version_no,
            ProposalKey.created_at,
        )
        .join(ProposalEventRow, caused)
        .where(ProposalKey.tenant_id == tenant_id, ProposalKey.scope == "", ProposalKey.idempotency_key == key)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise ProposalKeyNotFound
    return KeyRow(*found)
