"""The receipt of a decision: one file that proves it to somebody who trusts neither this deployment nor its database."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.canonical import content_hash
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.models import Decision, DecisionEvidence, EventLogEntry
from lotus_web.queries.transparency.proved import proved_entry, signed_log
from lotus_web.store.session import see_one_moment
from lotus_web.wire.lotus_verify import decision_of, signature_of, statements, written
from lotus_web.wire.packed import unpack_document

RECEIPT_VERSION, SIGNED_RECEIPT_VERSION = 1, 2
NO_RECEIPT = "NO_RECEIPT"


def decision_receipt(session: Session, settings: Settings, tenant_id: str, decision_id: str) -> bytes:
    """Return the receipt of a decision, of an approval or of the entry that records it, by its id, as the bytes of a file.

    Raises NotFound and Conflict: ``NO_RECEIPT`` for a request for changes, ``NOT_SIGNED_YET`` for one that is newer than
    the last checkpoint, and those of ``signed_log``.
    """
    see_one_moment(session)
    entry = _entry_of(session, tenant_id, decision_id)
    signed = signed_log(session, settings, tenant_id)
    proved = proved_entry(session, entry)
    decision = decision_of(proved["entry"]["event"])
    evidence = presented_evidence(session, tenant_id, decision["evidence_digest"])
    signature = signature_of(proved["entry"]["event"])
    return written(
        {
            **_version(session, settings, signature),
            "decision": decision,
            **proved,
            "evidence": evidence,
            "checkpoint": signed.note,
            "keys": signed.keys,
            "statements": statements(decision, evidence is not None, len(signed.keys["witnesses"])),
        }
    )


def _version(session: Session, settings: Settings, signature: dict[str, Any] | None) -> dict[str, Any]:
    """Return the version of a receipt, with the entry that records the passkey where its decision was signed with one."""
    if signature is None:
        return {"receipt_version": RECEIPT_VERSION}
    found = None
    if "enrolled" in signature:
        query = select(EventLogEntry).where(
            EventLogEntry.tenant_id == DEFAULT_TENANT, EventLogEntry.event_id == signature["enrolled"]["event_id"]
        )
        signed = signed_log(session, settings, DEFAULT_TENANT)
        found = proved_entry(session, session.scalars(query).one()) | {"checkpoint": signed.note, "keys": signed.keys}
    return {"receipt_version": SIGNED_RECEIPT_VERSION, "enrolment": found}


def presented_evidence(session: Session, tenant_id: str, digest: str | None) -> dict[str, Any] | None:
    """Return the document that was presented; None where none was, or where it is not stored any more.

    Raises Conflict ``EVIDENCE_MISMATCH`` for one that is not what the log records.
    """
    found = session.get(DecisionEvidence, (tenant_id, digest)) if digest else None
    if found is None:
        return None
    document = _unpacked(found.document)
    if content_hash(document) != digest:
        raise Conflict("EVIDENCE_MISMATCH", "The evidence as it is stored is not what the log records.")
    return document


def _unpacked(stored: bytes) -> dict[str, Any] | None:
    try:
        return unpack_document(stored)
    except (ValueError, zlib.error):
        return None


def _entry_of(session: Session, tenant_id: str, decision_id: str) -> EventLogEntry:
    """Return the entry that records a decision of this deployment, or an approval that another system sent, by its event id."""
    mine = select(EventLogEntry).where(EventLogEntry.tenant_id == tenant_id)
    key = own_event_key(decision_id, EventType.APPROVAL_RECORDED)
    found = session.scalars(
        mine.where(EventLogEntry.producer_id == OWN_PRODUCER, EventLogEntry.idempotency_key == key)
    ).one_or_none()
    if found is None:
        found = session.scalars(mine.where(EventLogEntry.event_id == decision_id)).one_or_none()
    if found is not None and found.event_type == EventType.APPROVAL_RECORDED.value:
        return found
    query = select(Decision.decision_id).where(Decision.tenant_id == tenant_id, Decision.decision_id == decision_id)
    if session.scalar(query) is None:
        raise NotFound
    raise Conflict(
        NO_RECEIPT, "There are receipts for approvals, rejections and overrides, and none for a request for changes."
    )
