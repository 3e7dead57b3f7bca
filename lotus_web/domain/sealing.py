"""Text that only who holds a key can read, for what a store keeps for moments and must not tell."""

from __future__ import annotations

import base64
import hashlib


def seal(text: str, *, key: str, label: str) -> str:
    """Return the text combined with a stream of its key and label; a pair of these serves for one text only.

    The key is a secret of 256 random bits or more. Nothing tells whether a sealed text was changed.
    """
    plain = text.encode()
    return base64.urlsafe_b64encode(_combined(plain, key, label)).decode()


def unseal(sealed: str, *, key: str, label: str) -> str:
    """Return what was sealed with the same key and label; raises ValueError for what cannot have been."""
    return _combined(base64.urlsafe_b64decode(sealed), key, label).decode()


def _combined(data: bytes, key: str, label: str) -> bytes:
    # Hashed first, the key has a fixed length: no other pair of key and label begins the same stream.
    stream = hashlib.shake_256(hashlib.sha256(key.encode()).digest() + label.encode()).digest(len(data))
    return bytes(left ^ right for left, right in zip(data, stream, strict=True))
