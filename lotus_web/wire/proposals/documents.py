"""A version's documents in parts: each is stored once, and the whole is put together from their bytes (delta 41).

An artifact carries its evidence, the evidence the result, and the answer all three: together the result would be stored
three times. Evidence that is hidden or was not stored is ``{}`` at each place where it would stand (deltas 32, 41).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lotus_web.wire.packed import dump

NOTHING = b"{}"
EVIDENCE, HASH = "evidence_bundle", "artifact_hash"


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """What is stored of a version: its result, its artifact without evidence and hash, and what it was computed from."""

    result: bytes
    artifact: bytes
    inputs: bytes | None


def parts_of(artifact: Mapping[str, Any], *, store_evidence: bool) -> DocumentParts:
    """Return the parts of a whole artifact; without evidence its inputs are left out."""
    evidence = artifact[EVIDENCE]
    return DocumentParts(
        result=dump(evidence["engine_outputs"]["proposal_result"]),
        artifact=dump({key: value for key, value in artifact.items() if key not in (EVIDENCE, HASH)}),
        inputs=dump(evidence["inputs"]) if store_evidence else None,
    )


def evidence_document(
    inputs: bytes, result: bytes, *, request_hash: str, artifact_hash: str, engine_version: str
) -> bytes:
    """Return the evidence of a version as JSON bytes, as its artifact's hash covers it."""
    hashes = dump({"request_hash": request_hash, HASH: artifact_hash})
    return b'{"inputs":%s,"engine_outputs":{"proposal_result":%s},"hashes":%s,"engine_version":%s}' % (
        inputs,
        result,
        hashes,
        json.dumps(engine_version).encode(),
    )


def artifact_document(artifact: bytes, evidence: bytes, *, artifact_hash: str) -> bytes:
    """Return an artifact with its evidence and its hash as JSON bytes."""
    return b'%s,"%s":%s,"%s":%s}' % (
        artifact[:-1],
        EVIDENCE.encode(),
        evidence,
        HASH.encode(),
        json.dumps(artifact_hash).encode(),
    )
