"""Signed notes: a text with signatures below it, and the keys that verify them (c2sp.org/signed-note).

A note may come from anybody. It is parsed strictly, since what two programs read differently can be shown to one of them as true.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

DASH = "— "
NOTE_MAX_BYTES = 256 * 1024
SIGNATURES_MAX = 100
NAME_MAX = 255
KEY_ID_SIZE = 4
ED25519_KEY_SIZE = 32
ED25519_SIGNATURE_SIZE = 64

# Whether a signature by an Ed25519 key is over a message: (public key, signature, message).
Verify = Callable[[bytes, bytes, bytes], bool]


class InvalidNote(ValueError):
    """A text that is no signed note, or one whose signatures do not verify; the message says why."""


class SignatureType(IntEnum):
    """What a key signs with: the byte that is hashed into its id."""

    ED25519 = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """A line below a note: the name and the id of a key, and the bytes that it made."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{DASH}{self.name} {encode(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a newline, and the signatures below it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(str(one) for one in self.signatures)}"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key with its name and what it signs; written ``name+id+key`` (a "vkey")."""

    name: str
    public: bytes
    kind: SignatureType = SignatureType.ED25519

    @property
    def key_id(self) -> bytes:
        """The first four bytes of a hash over name, kind and key."""
        named = self.name.encode() + b"\n" + bytes([self.kind])
        return hashlib.sha256(named + self.public).digest()[:KEY_ID_SIZE]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.kind]) + self.public)}"

    def made(self, signature: Signature) -> bool:
        """Return whether a signature names this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)


def encode(data: bytes) -> str:
    """Return bytes as base 64."""
    return b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of a base 64 text; raises InvalidNote for any but the one spelling of them."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise InvalidNote("not base 64") from None
    if not data or encode(data) != text:
        raise InvalidNote("not base 64 in its one spelling")
    return data


def check_name(name: str) -> str:
    """Return the name of a key; raises InvalidNote for one that no line of a note could hold."""
    if not name or len(name.encode("utf-8", "replace")) > NAME_MAX:
        raise InvalidNote(f"the name of a key has 1 to {NAME_MAX} bytes")
    if any(char.isspace() or char == "+" or char < " " or "\ud800" <= char <= "\udfff" for char in name):
        raise InvalidNote("the name of a key has no space and no +")
    return name


def parse_key(text: str) -> VerifierKey:
    """Return the key that ``name+id+key`` describes; raises InvalidNote if it is none or its id is not the one of its parts."""
    name, _, rest = text.strip().partition("+")
    key_id, _, material = rest.partition("+")
    data = decode(material)
    if len(data) != 1 + ED25519_KEY_SIZE or data[0] not in set(SignatureType):
        raise InvalidNote("not an Ed25519 key")
    key = VerifierKey(check_name(name), data[1:], SignatureType(data[0]))
    if key.key_id.hex() != key_id:
        raise InvalidNote("the id of the key is not the one of its name and bytes")
    return key


def parse_note(data: bytes | str) -> Note:
    """Return a note as it was sent; raises InvalidNote. Nothing in it is true before ``verified_by`` has said by whom."""
    text = _plain_text(data)
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise InvalidNote("the note has no signatures, or its last line has no end")
    signed = lines[:-1].split("\n")
    if len(signed) > SIGNATURES_MAX:
        raise InvalidNote(f"a note has at most {SIGNATURES_MAX} signatures")
    return Note(f"{body}\n", tuple(_parse_signature(line) for line in signed))


def parse_signatures(data: bytes | str) -> tuple[Signature, ...]:
    """Return signature lines that come without their note; raises InvalidNote."""
    return parse_note(f"-\n\n{_plain_text(data)}").signatures


def _plain_text(data: bytes | str) -> str:
    try:
        raw = data.encode() if isinstance(data, str) else data
        text = raw.decode()
    except UnicodeError:
        raise InvalidNote("a note is text in UTF-8") from None
    if len(raw) > NOTE_MAX_BYTES:
        raise InvalidNote(f"a note has at most {NOTE_MAX_BYTES:,} bytes")
    if any(char < " " and char != "\n" for char in text):
        raise InvalidNote("a note has no control characters")
    return text


def _parse_signature(line: str) -> Signature:
    name, _, blob = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH):
        raise InvalidNote("a line of signature begins with a dash and a space")
    data = decode(blob)
    if len(data) <= KEY_ID_SIZE:
        raise InvalidNote("a signature is longer than the id of its key")
    return Signature(check_name(name), data[:KEY_ID_SIZE], data[KEY_ID_SIZE:])


def verified_by(note: Note, keys: Iterable[VerifierKey], verify: Verify) -> tuple[VerifierKey, ...]:
    """Return which of these keys signed the note's text; signatures of other keys are ignored.

    Raises InvalidNote if one of the keys has a signature that does not verify, or two, or if none has one.
    """
    found = []
    for key in keys:
        match [one for one in note.signatures if key.made(one)]:
            case []:
                continue
            case [signature] if is_signed(note.text, signature, key, verify):
                found.append(key)
            case _:
                raise InvalidNote(f"the signature of {key.name} does not verify")
    if not found:
        raise InvalidNote("the note has no signature of a known key")
    return tuple(found)


def is_signed(text: str, signature: Signature, key: VerifierKey, verify: Verify) -> bool:
    """Return whether a signature of a key is over this text, of either kind."""
    if key.kind is SignatureType.COSIGNATURE:
        time, value = signature.value[:8], signature.value[8:]
        return _fits(value) and verify(key.public, value, cosigned_message(text, int.from_bytes(time, "big")))
    return _fits(signature.value) and verify(key.public, signature.value, text.encode())


def _fits(value: bytes) -> bool:
    return len(value) == ED25519_SIGNATURE_SIZE


def cosigned_message(text: str, at: int) -> bytes:
    """Return what a witness signs: when, in seconds since 1970, and the text of the checkpoint (c2sp.org/tlog-cosignature)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosigned_at(signature: Signature) -> int:
    """Return when a witness signed, in seconds since 1970."""
    return int.from_bytes(signature.value[:8], "big")


def add_signatures(note: Note, more: Sequence[Signature]) -> Note:
    """Return a note with further signatures below those that it has."""
    return Note(note.text, (*note.signatures, *(one for one in more if one not in note.signatures)))
