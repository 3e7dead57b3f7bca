"""The keys of a deployment's logs, one after the other: each statement is signed by the new key and by the one that it replaces.

Whoever trusts one key of the row finds the others: the newer ones because the older said so, and the older ones because the
newer did. A key that somebody puts into the database is in no row that begins at the key of the deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lotus_web.domain.transparency.notes import (
    ED25519_KEY_SIZE,
    InvalidNote,
    Note,
    Signature,
    VerifierKey,
    Verify,
    decode,
    encode,
    parse_note,
    verified_by,
)

HEAD = "lotus-web key of logs"
FIRST = "first"
NEW, OLD = "new-key", "old-key"


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """That a key signs from now on, in the place of ``replaces``; that is None for the first. ``at`` is when, in words."""

    public: bytes
    replaces: bytes | None
    at: str

    def __str__(self) -> str:
        replaces = FIRST if self.replaces is None else encode(self.replaces)
        return f"{HEAD}\n{encode(self.public)}\n{replaces}\n{self.at}\n"

    @property
    def signers(self) -> tuple[VerifierKey, ...]:
        """The keys that must have signed it."""
        new = VerifierKey(NEW, self.public)
        return (new,) if self.replaces is None else (new, VerifierKey(OLD, self.replaces))


Sign = Callable[[bytes], bytes]


def signed_statement(statement: KeyStatement, *signs: Sign) -> Note:
    """Return a statement with the signatures of its signers, which are given in their order."""
    text = str(statement)
    return Note(
        text,
        tuple(
            Signature(key.name, key.key_id, sign(text.encode()))
            for key, sign in zip(statement.signers, signs, strict=True)
        ),
    )


def parse_statement(data: str, verify: Verify) -> KeyStatement:
    """Return a statement that all its signers signed; raises InvalidNote."""
    note = parse_note(data)
    lines = note.text.split("\n")
    if len(lines) != 5 or lines[0] != HEAD:
        raise InvalidNote("not a statement about a key")
    keys = [None if line == FIRST and place else decode(line) for place, line in enumerate(lines[1:3])]
    public, replaces = keys
    if public is None or any(key is not None and len(key) != ED25519_KEY_SIZE for key in keys):
        raise InvalidNote("not an Ed25519 key")
    statement = KeyStatement(public, replaces, lines[3])
    if str(statement) != note.text or len(verified_by(note, statement.signers, verify)) < len(statement.signers):
        raise InvalidNote("a key of the statement did not sign it")
    return statement


def trusted_keys(current: bytes, statements: Iterable[str], verify: Verify) -> tuple[bytes, ...]:
    """Return the present key and those before it, newest first, as far as the statements lead; others are left out."""
    before: dict[bytes, bytes | None] = {}
    for text in statements:
        try:
            statement = parse_statement(text, verify)
        except InvalidNote:
            continue
        before.setdefault(statement.public, statement.replaces)
    found = [current]
    while (older := before.get(found[-1])) is not None and older not in found:
        found.append(older)
    return tuple(found)
