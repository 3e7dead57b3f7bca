"""The secrets that callbacks are signed with (Standard Webhooks)."""

from __future__ import annotations

import base64

PREFIX = "whsec_"
# Standard Webhooks: between 24 and 64 random bytes.
FEWEST_BYTES, MOST_BYTES = 24, 64
MOST_SECRETS = 5
NOT_CONFIGURED = "CALLBACKS_NOT_CONFIGURED"


def parse_secrets(text: str) -> tuple[str, ...]:
    """Return the secrets of a comma-separated list, each ``whsec_`` and base64; raises ValueError.

    Every callback is signed with each of them, so that receivers can change from one to the next at any time.
    """
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(found) > MOST_SECRETS:
        raise ValueError("too many secrets")
    for secret in found:
        if not secret.startswith(PREFIX):
            raise ValueError(f"a secret begins with {PREFIX}")
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
            raise ValueError("a secret has between 24 and 64 bytes")
    return found
