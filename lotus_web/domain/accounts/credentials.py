"""What a password must be, and what is stored of a random secret."""

from __future__ import annotations

import hashlib

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.sentences import Sentence

PASSWORD_MIN = 12
# A longer password would only keep the server busy hashing.
PASSWORD_MAX = 1024


def check_new_password(value: str) -> str:
    """Return a password of 12–1024 characters; raises InvalidInput ``WEAK_PASSWORD``."""
    if not PASSWORD_MIN <= len(value) <= PASSWORD_MAX:
        raise InvalidInput(
            "WEAK_PASSWORD",
            Sentence("A password has {least} to {most} characters.", least=PASSWORD_MIN, most=PASSWORD_MAX),
            loc=("body", "password"),
        )
    return value


def secret_hash(secret: str) -> str:
    """Return the SHA-256 of a secret of 256 random bits, which needs no slow hash, since it cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
