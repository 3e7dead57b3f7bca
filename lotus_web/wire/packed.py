"""Documents as they are stored: JSON bytes in the order of their keys, compressed with zlib."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any


def dump(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON bytes, in the order of its keys."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def pack(document: Mapping[str, Any] | bytes) -> bytes:
    """Return a document, or its JSON bytes, as it is stored."""
    return zlib.compress(document if isinstance(document, bytes) else dump(document))


def unpack(packed: bytes) -> bytes:
    """Return the JSON bytes of a stored document, as they were packed."""
    return zlib.decompress(packed)


def unpack_document(packed: bytes) -> dict[str, Any]:
    """Return a stored document; money and weights in it are text."""
    document: dict[str, Any] = json.loads(zlib.decompress(packed))
    return document
