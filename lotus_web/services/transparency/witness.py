"""A witness: signs a checkpoint of a log once it continues the one that it signed before (c2sp.org/tlog-witness).

It needs no database and nothing of the deployment whose log it watches but the public key. What it answers is in the order of
the standard; a request that a known log signed and that contradicts what was signed before is kept as evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from lotus_web.domain.transparency.checkpoints import Checkpoint, parse_add_checkpoint, parse_checkpoint
from lotus_web.domain.transparency.merkle import EMPTY_ROOT, verify_consistency
from lotus_web.domain.transparency.notes import (
    InvalidNote,
    Note,
    Signature,
    SignatureType,
    VerifierKey,
    add_signatures,
    cosigned_message,
    parse_note,
    verified_by,
)
from lotus_web.store.ed25519 import SigningKey, verify
from lotus_web.store.witness_files import WitnessFiles

SIZE_TYPE, TEXT_TYPE = "text/x.tlog.size", "text/plain; charset=utf-8"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """An HTTP answer: status, text and its type."""

    status: int
    text: str
    content_type: str = TEXT_TYPE


class Witness:
    """Signs as ``name`` for the logs whose keys it was given, by origin."""

    def __init__(self, name: str, key: SigningKey, logs: Sequence[VerifierKey], files: WitnessFiles):
        self.key, self.files = key, files
        self.verifier = VerifierKey(name, key.public, SignatureType.COSIGNATURE)
        self.logs: Mapping[str, list[VerifierKey]] = {
            origin: [one for one in logs if one.name == origin] for origin in {one.name for one in logs}
        }

    def add_checkpoint(self, request: bytes, at: int) -> WitnessAnswer:
        """Answer a request; ``at`` is the time in seconds since 1970. What it signs is on the disk before it answers."""
        try:
            asked = parse_add_checkpoint(request)
            checkpoint = parse_checkpoint(asked.note.text)
        except InvalidNote as problem:
            return WitnessAnswer(400, f"{problem}\n")
        keys = self.logs.get(checkpoint.origin)
        if keys is None:
            return WitnessAnswer(404, "This witness does not know the log.\n")
        try:
            verified_by(asked.note, keys, verify)
        except InvalidNote as problem:
            return WitnessAnswer(403, f"{problem}\n")
        if asked.old_size > checkpoint.size:
            return WitnessAnswer(400, "The old size is larger than the checkpoint's.\n")
        with self.files.exclusively():
            before = self._last(checkpoint.origin)
            refusal = self._refusal(request, asked.old_size, asked.proof, before, checkpoint)
            return refusal if refusal is not None else self._signed(asked.note, before, checkpoint, at)

    def _last(self, origin: str, size: int | None = None) -> Checkpoint | None:
        for data in self.files.signed(origin, size):
            return parse_checkpoint(parse_note(data).text)
        return None

    def _refusal(
        self, request: bytes, old_size: int, proof: Sequence[bytes], before: Checkpoint | None, now: Checkpoint
    ) -> WitnessAnswer | None:
        size, root = (before.size, before.root) if before is not None else (0, EMPTY_ROOT)
        known = self._last(now.origin, now.size)
        if known is not None and known.root != now.root:
            return self._fork(request, now.origin, "same-size", 409, f"{size}\n", SIZE_TYPE)
        if old_size != size:
            return WitnessAnswer(409, f"{size}\n", SIZE_TYPE)
        if not verify_consistency(size, now.size, root, now.root, proof):
            text = "The checkpoint does not continue the one that was signed before.\n"
            return self._fork(request, now.origin, "no-continuation", 422, text, TEXT_TYPE)
        return None

    def _fork(self, request: bytes, origin: str, why: str, status: int, text: str, content_type: str) -> WitnessAnswer:
        path = self.files.keep_evidence(origin, request, why)
        log.error("witness_refused", origin=origin, why=why, evidence=str(path))
        return WitnessAnswer(status, text, content_type)

    def _signed(self, note: Note, before: Checkpoint | None, now: Checkpoint, at: int) -> WitnessAnswer:
        value = at.to_bytes(8, "big") + self.key.sign(cosigned_message(note.text, at))
        signature = Signature(self.verifier.name, self.verifier.key_id, value)
        if before is None or before.size < now.size:
            self.files.keep(now.origin, now.size, str(add_signatures(note, [signature])))
        return WitnessAnswer(200, str(signature))
