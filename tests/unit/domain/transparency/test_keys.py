"""The row of keys: who trusts one finds the others, and no key gets into it that the others did not sign."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lotus_web.domain.transparency.keys import KeyStatement, parse_statement, signed_statement, trusted_keys
from lotus_web.domain.transparency.notes import InvalidNote, Note
from lotus_web.store.ed25519 import SigningKey, verify

ONE, TWO, THREE, THIEF = (SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in range(1, 5))
AT = "2026-03-02T09:00:00+00:00"


def first(key: SigningKey) -> str:
    return str(signed_statement(KeyStatement(key.public, None, AT), key.sign))


def change(new: SigningKey, old: SigningKey, by: SigningKey | None = None) -> str:
    """Return a statement that both keys signed, or somebody in their place."""
    return str(signed_statement(KeyStatement(new.public, old.public, AT), (by or new).sign, (by or old).sign))


ROW = [first(ONE), change(TWO, ONE), change(THREE, TWO)]


def test_a_statement_is_read_as_it_was_signed() -> None:
    assert parse_statement(ROW[0], verify) == KeyStatement(ONE.public, None, AT)
    assert parse_statement(ROW[1], verify) == KeyStatement(TWO.public, ONE.public, AT)


def test_the_keys_before_the_present_one_are_trusted_as_far_as_statements_lead() -> None:
    assert trusted_keys(THREE.public, ROW, verify) == (THREE.public, TWO.public, ONE.public)
    assert trusted_keys(TWO.public, ROW, verify) == (TWO.public, ONE.public)
    assert trusted_keys(THREE.public, [ROW[0], ROW[2]], verify) == (THREE.public, TWO.public)
    assert trusted_keys(THREE.public, [], verify) == (THREE.public,)


def test_a_key_that_somebody_puts_into_the_store_is_not_trusted() -> None:
    forged = [
        first(THIEF),
        change(THIEF, THREE, by=THIEF),
        change(ONE, THIEF, by=THIEF),
        change(THIEF, ONE, by=THIEF),
        "nonsense",
        ROW[1].replace("lotus-web", "lotus-wob"),
    ]
    assert trusted_keys(THREE.public, [*forged, *ROW], verify) == (THREE.public, TWO.public, ONE.public)


def test_keys_that_replace_each_other_lead_to_an_end() -> None:
    assert trusted_keys(TWO.public, [change(TWO, ONE), change(ONE, TWO)], verify) == (TWO.public, ONE.public)


@pytest.mark.parametrize("signature", [0, 1])
def test_a_statement_needs_the_signatures_of_both_keys(signature: int) -> None:
    note = signed_statement(KeyStatement(TWO.public, ONE.public, AT), TWO.sign, ONE.sign)
    with pytest.raises(InvalidNote, match="did not sign"):
        parse_statement(str(Note(note.text, (note.signatures[signature],))), verify)


@pytest.mark.parametrize("lines", [["a", "b", "c"], ["lotus-web key of logs", "first", "first", AT], ["x"] * 6])
def test_a_note_about_something_else_is_no_statement(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    with pytest.raises(InvalidNote):
        parse_statement(
            str(Note(text, signed_statement(KeyStatement(ONE.public, None, AT), ONE.sign).signatures)), verify
        )
