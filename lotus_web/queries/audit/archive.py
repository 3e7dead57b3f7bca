"""The export of an item as an archive that needs nothing of Lotus Web: its entries, what proves them, and the verifier."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import HASH_PREFIX, plain
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.facts import FactType, fact_key
from lotus_web.domain.items.state import ItemState
from lotus_web.models import EventLogEntry, WorkflowAction
from lotus_web.queries.audit.export import events_of, item_said
from lotus_web.queries.decisions.receipt import presented_evidence
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.transparency.proofs import inclusion_proof, log_mismatch
from lotus_web.queries.transparency.proved import SignedLog, inclusion_document, proved_entry, signed_log
from lotus_web.store.session import see_one_moment
from lotus_web.wire import lotus_verify

LOG_VERSION = 1


def item_archive(session: Session, settings: Settings, tenant_id: str, workflow_id: str, *, now: datetime) -> bytes:
    """Return a zip with everything about an item, for ``lotus_verify.py``, which is in it.

    Raises NotFound, and Conflict as the receipt of a decision does: all entries must be in the tree of the last checkpoint.
    """
    see_one_moment(session)
    item = stored_item(session, tenant_id, workflow_id)
    signed = signed_log(session, settings, tenant_id)
    chain = events_of(session, item)
    files = {
        "item.json": lotus_verify.written(plain(item_said(session, item, chain, now))),
        "lotus_verify.py": verifier_source(),
    }
    for row in chain:
        files |= _evidence(session, row)
    proved = sorted([*chain, *_actions(session, item)], key=lambda row: row.log_seq)
    log = {
        "log_version": LOG_VERSION,
        "entries": [proved_entry(session, row) for row in proved],
        "head": _head(session, signed),
        "checkpoint": signed.note,
        "keys": signed.keys,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    return lotus_verify.archive({**files, "log.json": lotus_verify.written(log)})


def _actions(session: Session, item: ItemState) -> Sequence[EventLogEntry]:
    """Return the entries of the actions on an item that no event caused, such as claims and comments."""
    mine = (WorkflowAction.tenant_id == item.tenant_id, WorkflowAction.workflow_id == item.workflow_id)
    ids = session.scalars(select(WorkflowAction.action_id).where(*mine)).all()
    return session.scalars(
        select(EventLogEntry).where(
            EventLogEntry.tenant_id == item.tenant_id,
            EventLogEntry.producer_id == OWN_PRODUCER,
            EventLogEntry.idempotency_key.in_([fact_key(one, FactType.ACTION_RECORDED) for one in ids]),
        )
    ).all()


def _evidence(session: Session, row: EventLogEntry) -> dict[str, bytes]:
    """Return the document that was presented with the decision of an entry, as a file; nothing where none is stored."""
    if row.event_type != EventType.APPROVAL_RECORDED.value:
        return {}
    digest = (row.payload.get("evidence") or {}).get("evidence_digest")
    document = presented_evidence(session, row.tenant_id, digest)
    name = f"evidence/{str(digest).removeprefix(HASH_PREFIX)}.json"
    return {} if document is None else {name: lotus_verify.written(document)}


def verifier_source() -> bytes:
    """Return the stand-alone verifier, as a file."""
    return Path(lotus_verify.__file__).read_bytes()


def _head(session: Session, signed: SignedLog) -> dict[str, Any]:
    """Return the last entry that the checkpoint covers, by its hash alone: what others' entries say stays with them."""
    query = select(EventLogEntry.event_id).where(
        EventLogEntry.tenant_id == signed.checkpoint.tenant_id, EventLogEntry.log_seq == signed.checkpoint.last_log_seq
    )
    event_id = session.scalar(query)
    if event_id is None:
        raise log_mismatch(signed.checkpoint)
    proof = inclusion_proof(session, signed.checkpoint.tenant_id, event_id)
    return {"entry_hash": proof.entry_hash, "inclusion": inclusion_document(proof)}
