"""What a stored password costs to guess; the rest of the suite hashes quickly (tests/tools/quick_hashes.py)."""

from __future__ import annotations

import runpy

from argon2 import extract_parameters

from lotus_web.services.sign_in import passwords
from tests.tools.quick_hashes import hash_quickly


def test_the_program_hashes_with_at_least_what_owasp_asks() -> None:
    fresh = runpy.run_path(passwords.__file__)
    cost = extract_parameters(fresh["HASHER"].hash("a password for tests"))
    assert (cost.type.name, cost.memory_cost, cost.time_cost, cost.parallelism) == ("ID", 19 * 1024, 2, 1)


def test_the_tests_hash_quickly_and_verify_hashes_of_any_cost() -> None:
    fresh = runpy.run_path(passwords.__file__)["HASHER"]
    hash_quickly()
    assert extract_parameters(passwords.HASHER.hash("a password for tests")).memory_cost == 8
    assert passwords.HASHER.verify("a password for tests", fresh.hash("a password for tests"))
    assert not passwords.HASHER.verify("another password", fresh.hash("a password for tests"))
