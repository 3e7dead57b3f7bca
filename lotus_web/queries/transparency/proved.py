"""Entries of a log in the form in which a file proves them to somebody else (wire/lotus_verify.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import plain
from lotus_web.domain.errors import Conflict
from lotus_web.domain.transparency.notes import InvalidNote, encode
from lotus_web.models import EventLogEntry, LogCheckpoint
from lotus_web.models.stored_tree import cosigners
from lotus_web.models.to_domain import poster_of, stored_envelope
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.queries.transparency.proofs import (
    InclusionProof,
    cosigned_note,
    inclusion_proof,
    log_mismatch,
    newest_checkpoint,
)
from lotus_web.queries.transparency.state import signed_checkpoint
from lotus_web.store.ed25519 import NoSigningKey
from lotus_web.wire.audit import entry_document

NO_KEY = "LOG_KEY_UNKNOWN"


@dataclass(frozen=True, slots=True)
class SignedLog:
    """The last checkpoint of a log with the keys that signed it: the log's and those of witnesses, as ``name+id+key``."""

    checkpoint: LogCheckpoint
    note: str
    keys: dict[str, Any]


def signed_log(session: Session, settings: Settings, tenant_id: str) -> SignedLog:
    """Return the last checkpoint of a tenant's log, verified.

    Raises Conflict: ``NOT_SIGNED_YET``, ``LOG_KEY_UNKNOWN`` where this process has no public key, ``LOG_MISMATCH``.
    """
    row = newest_checkpoint(session, tenant_id)
    try:
        keys = log_keys(session, settings, tenant_id)
        signed_checkpoint(row, keys)
    except NoSigningKey:
        raise Conflict(NO_KEY, "The key of the log is not known here: see LOTUS_LOG_KEY_FILE.") from None
    except InvalidNote:
        raise log_mismatch(row) from None
    key = next(key for key in keys if key.key_id.hex() == row.key_id)
    witnesses = list(cosigners(session, row))
    return SignedLog(row, cosigned_note(session, row), {"log": str(key), "witnesses": witnesses})


def proved_entry(session: Session, row: EventLogEntry) -> dict[str, Any]:
    """Return an entry, all that its hash is over and nothing else, with its inclusion proof; raises as ``inclusion_proof``."""
    poster = poster_of(row.posted_by, row.posted_with)
    entry = entry_document(stored_envelope(row), log_seq=row.log_seq, stored=row, poster=poster)
    # A number of the store that no hash is over: its place in the log is the index of its leaf.
    del entry["log_seq"]
    proof = inclusion_proof(session, row.tenant_id, row.event_id)
    return {"entry": plain(entry), "inclusion": inclusion_document(proof)}


def inclusion_document(proof: InclusionProof) -> dict[str, Any]:
    """Return an inclusion proof as JSON."""
    return {"leaf_index": proof.leaf_index, "hashes": [encode(step) for step in proof.proof]}
