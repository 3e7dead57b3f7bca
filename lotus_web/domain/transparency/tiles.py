"""Tiles: rows of 256 hashes in which a tree is stored and served, by their C2SP paths (c2sp.org/tlog-tiles).

Tiles of level 0 hold leaf hashes. A hash of a tile of a higher level is over one full tile below it, so that the tile ``index`` of
``level`` spans the leaves from ``index * 256 ** (level + 1)``. The tiles at the right edge of a tree are partial: 1 to 255 wide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lotus_web.domain.transparency.merkle import HASH_SIZE, Nodes, complete_levels

HEIGHT = 8
WIDTH = 1 << HEIGHT
LEVEL_MAX = 63
ENTRY_MAX_BYTES = 0xFFFF
# No log grows to this number of entries, and any database can hold it.
SIZE_MAX = 2**63 - 1
PATH = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)

# Gives the hashes of a tile, by level and index, as many as there are.
ReadTile = Callable[[int, int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile: ``level`` None means the bundle of the entries whose hashes are in the tile of level 0."""

    level: int | None
    index: int
    width: int = WIDTH

    def __str__(self) -> str:
        level = "entries" if self.level is None else self.level
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{level}/{index_path(self.index)}{partial}"

    @property
    def end(self) -> int:
        """How large a tree must be to have this tile."""
        return (self.index * WIDTH + self.width) << HEIGHT * (self.level or 0)


def index_path(index: int) -> str:
    """Return an index as path elements of three digits, all but the last with an x: 1234067 is x001/x234/067."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *high, last = (digits[start : start + 3] for start in range(0, len(digits), 3))
    return "/".join([*(f"x{part}" for part in high), last])


def parse_tile_path(text: str) -> TilePath:
    """Return the tile that ``<L>/<N>[.p/<W>]`` or ``entries/<N>[.p/<W>]`` names; raises ValueError for any other spelling."""
    found = PATH.fullmatch(text)
    if found is None:
        raise ValueError("not the path of a tile")
    level, index, width = found.groups()
    tile = TilePath(
        None if level == "entries" else int(level),
        int(index.replace("x", "").replace("/", "")[:30]),
        WIDTH if width is None else int(width),
    )
    if (tile.level or 0) > LEVEL_MAX or tile.width > WIDTH or str(tile) != text or tile.index > SIZE_MAX:
        raise ValueError("not the path of a tile")
    return tile


def width_at(level: int, index: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of this size, 0 to 256."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def tiles_of(size: int) -> Iterator[TilePath]:
    """Yield the tiles of a tree of this size, level by level; the last of a level may be partial."""
    level = 0
    while size >> HEIGHT * level:
        for index in range(-(-(size >> HEIGHT * level) // WIDTH)):
            yield TilePath(level, index, width_at(level, index, size))
        level += 1


def nodes_from_tiles(read: ReadTile) -> Nodes:
    """Return the source of hashes for a tree that is stored in tiles; each tile is read and hashed once."""
    known: dict[tuple[int, int], list[list[bytes]]] = {}

    def node(height: int, place: int) -> bytes:
        level, within = divmod(height, HEIGHT)
        index, start = divmod(place << within, WIDTH)
        if (level, index) not in known:
            known[level, index] = complete_levels(read(level, index))
        return known[level, index][within][start >> within]

    return node


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over a full tile, which represents it in the level above."""
    if len(hashes) != WIDTH:
        raise ValueError("only a full tile has a hash in the level above")
    return complete_levels(hashes)[HEIGHT][0]


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """Return the bytes of a tile."""
    return b"".join(hashes)


def unpack_hashes(data: bytes) -> list[bytes]:
    """Return the hashes in the bytes of a tile; raises ValueError for what is no row of hashes."""
    if len(data) % HASH_SIZE or len(data) > WIDTH * HASH_SIZE:
        raise ValueError("not a row of hashes")
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle, each after its length in two bytes; raises ValueError for one that is too long."""
    if any(len(entry) > ENTRY_MAX_BYTES for entry in entries):
        raise ValueError("an entry of a bundle has at most 65,535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entry_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle; raises ValueError for one that ends in the middle of an entry."""
    entries, place = [], 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 2], "big")
        end = place + 2 + length
        if end > len(data) or place + 2 > len(data):
            raise ValueError("the bundle ends in the middle of an entry")
        entries.append(data[place + 2 : end])
        place = end
    return entries
