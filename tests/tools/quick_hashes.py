"""Passwords are hashed with the least work that argon2id can do: a hash that resists guessing takes 25 ms, and most tests need one.

The cost that the program really uses is checked in tests/unit/services/sign_in.
"""

from __future__ import annotations

from argon2.profiles import CHEAPEST
from pwdlib.hashers.argon2 import Argon2Hasher

from lotus_web.services.sign_in.passwords import HASHER


def hash_quickly() -> None:
    """Replace the program's hasher in this process; hashes made with any cost are still verified."""
    quick = Argon2Hasher(CHEAPEST.time_cost, CHEAPEST.memory_cost, CHEAPEST.parallelism, CHEAPEST.hash_len)
    HASHER.hashers, HASHER.current_hasher = (quick,), quick
