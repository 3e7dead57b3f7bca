"""The right edge of a tree: what of it fills no tile yet, and what becomes of it when entries are added.

A tree is kept as its full tiles, which never change, and this edge, which is small: at most 255 hashes of each level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lotus_web.domain.transparency.merkle import EMPTY_ROOT, complete_levels, node_hash
from lotus_web.domain.transparency.tiles import HEIGHT, WIDTH, tile_root


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has become full, and the hash that represents it in the level above."""

    level: int
    index: int
    hashes: tuple[bytes, ...]
    root: bytes


class RightEdge:
    """The edge of a tree that has ``full`` full tiles in each level, from level 0, and ``rows`` of hashes behind them."""

    def __init__(self, full: Sequence[int] = (), rows: Sequence[Sequence[bytes]] = ()):
        self.full = list(full) or [0]
        self.rows = [list(row) for row in rows] or [[]]

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self.full[0] * WIDTH + len(self.rows[0])

    def root(self) -> bytes:
        """Return the root: of the complete subtrees from left to right, each joined to all that is right of it."""
        peaks = [peak for row in reversed(self.rows) for peak in _peaks(row)]
        if not peaks:
            return EMPTY_ROOT
        found = peaks.pop()
        while peaks:
            found = node_hash(peaks.pop(), found)
        return found

    def add(self, leaves: Iterable[bytes]) -> list[FullTile]:
        """Add leaf hashes at the right; return the tiles that became full, those of a lower level before the one above them."""
        filled: list[FullTile] = []
        for leaf in leaves:
            self._add(0, leaf, filled)
        return filled

    def _add(self, level: int, found: bytes, filled: list[FullTile]) -> None:
        if level == len(self.rows):
            self.full.append(0)
            self.rows.append([])
        row = self.rows[level]
        row.append(found)
        if len(row) == WIDTH:
            tile = FullTile(level, self.full[level], tuple(row), tile_root(row))
            filled.append(tile)
            self.full[level] += 1
            self.rows[level] = []
            self._add(level + 1, tile.root, filled)


def _peaks(row: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of the complete subtrees in a row of less than 256 hashes, the largest first."""
    levels, found, start = complete_levels(row), [], 0
    for height in reversed(range(HEIGHT)):
        if len(row) >> height & 1:
            found.append(levels[height][start >> height])
            start += 1 << height
    return found
