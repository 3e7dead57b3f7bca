"""What the record says of a verification of the chain: what was done, and how it came out."""

from __future__ import annotations

VERIFY_CHAIN = "verify_chain"
INTACT, BROKEN = "intact", "broken"
