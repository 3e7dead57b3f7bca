"""The export of an item as an archive that needs nothing of Lotus Web: its entries, what proves them, and the verifier."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import plain
from lotus_web.models import EventLogEntry
from lotus_web.queries.audit.export import events_of, item_said
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
    log = {
        "log_version": LOG_VERSION,
        "entries": [proved_entry(session, row) for row in chain],
        "head": _head(session, signed),
        "checkpoint": signed.note,
        "keys": signed.keys,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    return lotus_verify.archive({**files, "log.json": lotus_verify.written(log)})


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
