"""Checkpoints: what a log says of itself, by whom it is signed, and how a witness is asked for its signature.

Formats: c2sp.org/tlog-checkpoint and c2sp.org/tlog-witness. One origin is one log: here that of one tenant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from lotus_web.domain.transparency.merkle import HASH_SIZE
from lotus_web.domain.transparency.notes import InvalidNote, Note, check_name, decode, encode, parse_note
from lotus_web.domain.transparency.tiles import SIZE_MAX

PROOF_MAX = 63
DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size of a log's tree and its root; the text of the note that is signed."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode(self.root), *self.extensions))


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """What a witness is asked: to sign a checkpoint, with the proof that it continues the one of ``old_size``."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        return f"old {self.old_size}\n{''.join(f'{encode(step)}{chr(10)}' for step in self.proof)}\n{self.note}"


def origin_of(deployment: str, tenant_id: str) -> str:
    """Return the origin of a tenant's log, which is also the name of its key: no id can look like that of another tenant."""
    return check_name(f"{deployment}/{quote(tenant_id, safe='')}")


def parse_size(text: str) -> int:
    """Return the size of a tree as a checkpoint writes it: plain digits without leading zeros; raises InvalidNote."""
    if not DECIMAL.fullmatch(text) or int(text) > SIZE_MAX:
        raise InvalidNote("the size of a tree is a plain number")
    return int(text)


def parse_root(text: str) -> bytes:
    """Return a hash in base 64; raises InvalidNote."""
    found = decode(text)
    if len(found) != HASH_SIZE:
        raise InvalidNote(f"a hash has {HASH_SIZE} bytes")
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in the text of a note; raises InvalidNote."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise InvalidNote("a checkpoint has an origin, a size and a root, each on a line of its own")
    origin, size, root, *extensions = lines
    return Checkpoint(check_name(origin), parse_size(size), parse_root(root), tuple(extensions))


def parse_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Return what a log asks of a witness; raises InvalidNote."""
    head, gap, rest = data.partition(b"\n\n")
    try:
        first, *steps = head.decode("ascii").split("\n")
    except UnicodeError:
        raise InvalidNote("the request begins with plain lines") from None
    if not gap or not first.startswith("old ") or len(steps) > PROOF_MAX:
        raise InvalidNote(f"the request is an old size, at most {PROOF_MAX} hashes, an empty line and a checkpoint")
    note = parse_note(rest)
    return AddCheckpoint(parse_size(first.removeprefix("old ")), tuple(parse_root(step) for step in steps), note)
