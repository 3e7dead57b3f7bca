"""Passwords as they are stored: hashed with argon2id, never in clear."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from lotus_web.domain.accounts.credentials import check_new_password

# argon2id with 19 MiB and two passes: OWASP's floor, so that a burst of sign-ins does not exhaust the memory.
HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))


@functools.cache
def dummy_hash() -> str:
    """Return a hash to check against when there is no such person, which takes as long as if there were."""
    return HASHER.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that may be used, as its hash."""

    digest: str = field(repr=False)


def hashed(password: str) -> NewPassword:
    """Hash a new password, which takes 25 ms: before the transaction that stores it. Raises InvalidInput ``WEAK_PASSWORD``."""
    return NewPassword(HASHER.hash(check_new_password(password)))
