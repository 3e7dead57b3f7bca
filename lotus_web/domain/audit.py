"""Words that are stored in the audit log: the action of a verification of the chain, and its results."""

from __future__ import annotations

VERIFY_CHAIN = "verify_chain"
INTACT, BROKEN = "intact", "broken"
