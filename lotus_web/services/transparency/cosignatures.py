"""Asking witnesses for their signature below the last checkpoint of a log, and keeping it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.transparency.checkpoints import AddCheckpoint, parse_size
from lotus_web.domain.transparency.merkle import consistency_proof
from lotus_web.domain.transparency.notes import (
    InvalidNote,
    Signature,
    cosigned_at,
    is_signed,
    parse_note,
    parse_signatures,
)
from lotus_web.domain.transparency.witnesses import WitnessAddress
from lotus_web.models import LogCheckpoint, LogCosignature
from lotus_web.models.stored_tree import StoredTree, last_checkpoint
from lotus_web.store.ed25519 import verify
from lotus_web.store.upserts import insert_into

SECONDS = 10
ANSWER_MAX_BYTES = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"


class WitnessRefused(Exception):
    """A witness did not sign; the message says what it answered. If it saw another log, that is what it is for."""


class WitnessAway(Exception):
    """A witness did not answer; it is asked again later."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The last checkpoint of a log that a witness has not signed, and the size of the one that it signed last."""

    tenant_id: str
    size: int
    note: str
    signed_size: int


def unsigned_checkpoints(session: Session, witness: WitnessAddress) -> list[Unsigned]:
    """Return what a witness has still to sign, one a tenant."""
    found = []
    for tenant_id in session.scalars(
        select(LogCheckpoint.tenant_id).distinct().order_by(LogCheckpoint.tenant_id)
    ).all():
        row = last_checkpoint(session, tenant_id)
        signed = session.scalar(
            select(func.max(LogCosignature.tree_size)).where(
                LogCosignature.tenant_id == tenant_id, LogCosignature.witness == str(witness.key)
            )
        )
        if row is not None and (signed is None or signed < row.tree_size):
            found.append(Unsigned(tenant_id, row.tree_size, row.note, signed or 0))
    return found


def ask(session: Session, witness: WitnessAddress, unsigned: Unsigned) -> Signature:
    """Return the signature of a witness below a checkpoint, verified; reads only.

    Raises WitnessRefused and WitnessAway.
    """
    old = unsigned.signed_size
    for _ in range(2):
        status, kind, data = _post(witness, str(_request(session, unsigned, old)).encode())
        if status != 409 or kind != SIZE_TYPE:
            break
        known = _size(data)
        if known > unsigned.size or known == old:
            raise WitnessRefused(
                f"it signed {known} entries, and the checkpoint has {unsigned.size}: the log is another"
            )
        old = known
    if status != 200:
        raise WitnessRefused(f"it answered {status}")
    return _verified(witness, unsigned, data)


def _request(session: Session, unsigned: Unsigned, old: int) -> AddCheckpoint:
    nodes = StoredTree.of(session, unsigned.tenant_id).nodes(unsigned.size, near=[old - 1])
    try:
        proof = consistency_proof(old, unsigned.size, nodes)
    except (IndexError, ValueError):
        raise WitnessRefused("the stored tree gives no proof for it") from None
    return AddCheckpoint(old, tuple(proof), parse_note(unsigned.note))


def _post(witness: WitnessAddress, body: bytes) -> tuple[int, str, bytes]:
    parts = urlsplit(witness.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/add-checkpoint", body, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read(ANSWER_MAX_BYTES)
    except (OSError, HTTPException) as problem:
        raise WitnessAway(type(problem).__name__) from problem
    finally:
        connection.close()


def _size(data: bytes) -> int:
    try:
        return parse_size(data.decode("ascii").removesuffix("\n"))
    except (InvalidNote, UnicodeError):
        raise WitnessRefused("it answered with no size") from None


def _verified(witness: WitnessAddress, unsigned: Unsigned, data: bytes) -> Signature:
    text = parse_note(unsigned.note).text
    try:
        signatures: Iterable[Signature] = parse_signatures(data)
    except InvalidNote:
        signatures = ()
    for signature in signatures:
        if witness.key.made(signature) and is_signed(text, signature, witness.key, verify):
            return signature
    raise WitnessRefused("its answer is not its signature below the checkpoint")


def store_cosignature(session: Session, witness: WitnessAddress, unsigned: Unsigned, signature: Signature) -> None:
    """Keep a signature; once a checkpoint and witness."""
    values = {
        "tenant_id": unsigned.tenant_id,
        "tree_size": unsigned.size,
        "witness": str(witness.key),
        "signature": str(signature),
        "signed_at": datetime.fromtimestamp(cosigned_at(signature), UTC),
    }
    session.execute(insert_into(session, LogCosignature).values(values).on_conflict_do_nothing())
