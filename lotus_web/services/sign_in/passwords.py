"""Password hashes (argon2id); a password itself is never stored."""

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
    """The hash of an acceptable new password."""

    digest: str = field(repr=False)


def hashed(password: str) -> NewPassword:
    """Hash a new password; takes 25 ms, so do it before the transaction. Raises InvalidInput ``WEAK_PASSWORD``."""
    return NewPassword(HASHER.hash(check_new_password(password)))
