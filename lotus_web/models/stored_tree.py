"""A tenant's tree as it is stored: full tiles, and behind them the entries of the log, which are its leaves.

A leaf is the text of an entry's ``entry_hash``. That hash is over everything that the entry says and over the entry before it,
so a leaf fixes both, and neither a tile nor a bundle shows what an entry says (docs/proof.md).

It is a module of the tables because services and queries both need it, which know nothing of each other: the ones sign the tree, the others prove from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from lotus_web.domain.transparency.growth import RightEdge
from lotus_web.domain.transparency.merkle import Nodes, leaf_hash
from lotus_web.domain.transparency.tiles import HEIGHT, WIDTH, nodes_from_tiles, unpack_hashes, width_at
from lotus_web.models.events.log import EventLogEntry
from lotus_web.models.transparency import LogCheckpoint, LogCosignature, LogTile

Place = Row[int, str]
# No size that a column can hold has more.
LEVELS = 8


def leaf_of(entry_hash: str) -> bytes:
    """Return the data of the leaf of an entry."""
    return entry_hash.encode()


def hashed_leaves(places: Sequence[Place]) -> list[bytes]:
    """Return the leaf hashes of entries."""
    return [leaf_hash(leaf_of(place.entry_hash)) for place in places]


def entry_places(session: Session, tenant_id: str, *, after: int, limit: int) -> Sequence[Place]:
    """Return the places and hashes of the entries behind one, in the order of the log."""
    return session.execute(
        select(EventLogEntry.log_seq, EventLogEntry.entry_hash)
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.log_seq > after)
        .order_by(EventLogEntry.log_seq)
        .limit(limit)
    ).all()


def last_checkpoint(session: Session, tenant_id: str, *, until_size: int | None = None) -> LogCheckpoint | None:
    """Return the checkpoint of the largest tree, or of the largest that is no larger than ``until_size``."""
    query = select(LogCheckpoint).where(LogCheckpoint.tenant_id == tenant_id)
    if until_size is not None:
        query = query.where(LogCheckpoint.tree_size <= until_size)
    return session.scalars(query.order_by(LogCheckpoint.tree_size.desc()).limit(1)).one_or_none()


def cosignatures(session: Session, checkpoint: LogCheckpoint) -> Sequence[str]:
    """Return the signatures of witnesses below a checkpoint, as lines of its note."""
    return session.scalars(_below(select(LogCosignature.signature), checkpoint)).all()


def cosigners(session: Session, checkpoint: LogCheckpoint) -> Sequence[str]:
    """Return the keys of the witnesses that signed a checkpoint, in the order of their signatures."""
    return session.scalars(_below(select(LogCosignature.witness), checkpoint)).all()


def _below(query: Select[str], checkpoint: LogCheckpoint) -> Select[str]:
    mine = (LogCosignature.tenant_id == checkpoint.tenant_id, LogCosignature.tree_size == checkpoint.tree_size)
    return query.where(*mine).order_by(LogCosignature.cosignature_seq)


@dataclass(frozen=True, slots=True)
class StoredTree:
    """A tenant's tree; ``full`` full tiles of level 0 are stored, the last of them ends with entry ``last_log_seq``."""

    session: Session
    tenant_id: str
    full: int
    last_log_seq: int

    @classmethod
    def of(cls, session: Session, tenant_id: str) -> StoredTree:
        """Return the tree as it is stored now."""
        last = session.execute(
            select(LogTile.tile_index, LogTile.last_log_seq)
            .where(LogTile.tenant_id == tenant_id, LogTile.level == 0)
            .order_by(LogTile.tile_index.desc())
            .limit(1)
        ).one_or_none()
        return cls(session, tenant_id, last.tile_index + 1 if last else 0, last.last_log_seq if last else 0)

    @property
    def stored_size(self) -> int:
        """How many leaves the full tiles hold."""
        return self.full * WIDTH

    def places(self, limit: int) -> Sequence[Place]:
        """Return entries behind the full tiles, oldest first."""
        return entry_places(self.session, self.tenant_id, after=self.last_log_seq, limit=limit)

    def edge(self, leaves: Sequence[bytes]) -> RightEdge:
        """Return the right edge of the tree of the full tiles and further leaves, fewer than fill a tile."""
        full, rows = [self.full], [list(leaves)]
        while full[-1]:
            level = len(full)
            full.append(full[-1] // WIDTH)
            rows.append(self._roots(level - 1, full[-1] * WIDTH, full[-2]))
        return RightEdge(full, rows)

    def _roots(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes over full tiles of a level, by the indexes from ``start`` to before ``end``."""
        query = (
            select(LogTile.root)
            .where(LogTile.tenant_id == self.tenant_id, LogTile.level == level)
            .where(LogTile.tile_index >= start, LogTile.tile_index < end)
            .order_by(LogTile.tile_index)
        )
        return list(self.session.scalars(query))

    def tile(self, level: int, index: int, size: int) -> list[bytes]:
        """Return the hashes that a tile has in the tree of this size, none if it has no such tile."""
        width = width_at(level, index, size)
        if index < self.full >> HEIGHT * level:
            return self._full_tile(level, index)[:width]
        if level:
            return self._roots(level - 1, index * WIDTH, index * WIDTH + width)
        return hashed_leaves(self.bundle(index, size))

    def _full_tile(self, level: int, index: int) -> list[bytes]:
        query = select(LogTile.hashes).where(LogTile.tenant_id == self.tenant_id)
        stored = self.session.scalar(query.where(LogTile.level == level, LogTile.tile_index == index))
        return [] if stored is None else unpack_hashes(stored)

    def bundle(self, index: int, size: int) -> Sequence[Place]:
        """Return the entries whose hashes are in a tile of level 0, as many as the tree of this size has there."""
        width = width_at(0, index, size)
        if not width or index > self.full:
            return []
        after = self.last_log_seq if index == self.full else self._end_of(index - 1)
        return entry_places(self.session, self.tenant_id, after=after, limit=width)

    def _end_of(self, index: int) -> int:
        found = self.session.get(LogTile, (self.tenant_id, 0, index)) if index >= 0 else None
        return found.last_log_seq if found is not None else 0

    def nodes(self, size: int, *, near: Sequence[int] = ()) -> Nodes:
        """Return the source of hashes of the tree of this size, for its root and its proofs.

        The tiles over the leaves ``near`` and at the right edge, all that a proof of these needs, are read at once.
        """
        levels = [level for level in range(LEVELS) if size >> HEIGHT * level]
        paths = [index for index in (*near, size - 1) if 0 <= index < size]
        known = self._tiles({(level, index >> HEIGHT * (level + 1)) for level in levels for index in paths}, size)
        return nodes_from_tiles(
            lambda level, index: known[level, index] if (level, index) in known else self.tile(level, index, size)
        )

    def _tiles(self, asked: set[tuple[int, int]], size: int) -> dict[tuple[int, int], list[bytes]]:
        """Return tiles of the tree of this size, in two queries but for the entries behind the last full tile."""
        mine = LogTile.tenant_id == self.tenant_id
        # Spelt out by level: SQLite looks up neither pairs in a list nor a range in an OR with an order by an index.
        by_level = [
            and_(LogTile.level == level, LogTile.tile_index.in_([place for at, place in asked if at == level]))
            for level in sorted({level for level, _ in asked})
        ]
        stored = self.session.execute(
            select(LogTile.level, LogTile.tile_index, LogTile.hashes).where(mine, or_(*by_level))
        )
        found = {
            (row.level, row.tile_index): unpack_hashes(row.hashes)[: width_at(row.level, row.tile_index, size)]
            for row in stored
        }
        above = [(level, index) for level, index in asked - found.keys() if level]
        below = [
            and_(LogTile.level == level - 1, LogTile.tile_index.between(index * WIDTH, index * WIDTH + WIDTH - 1))
            for level, index in above
        ]
        if not below:
            return found
        roots = select(LogTile.level, LogTile.tile_index, LogTile.root).where(mine, or_(*below))
        for (level, index), rows in groupby(
            self.session.execute(roots.order_by(LogTile.level, LogTile.tile_index)),
            key=lambda row: (row.level + 1, row.tile_index // WIDTH),
        ):
            found[level, index] = [row.root for row in rows][: width_at(level, index, size)]
        return found

    def index_of(self, place: Place) -> int:
        """Return the index of an entry among the leaves; raises ValueError if the tile that should hold it does not."""
        tile = self.session.execute(
            select(LogTile.tile_index, LogTile.hashes)
            .where(LogTile.tenant_id == self.tenant_id, LogTile.level == 0, LogTile.last_log_seq >= place.log_seq)
            .order_by(LogTile.last_log_seq)
            .limit(1)
        ).one_or_none()
        if tile is not None:
            return int(tile.tile_index) * WIDTH + unpack_hashes(tile.hashes).index(hashed_leaves([place])[0])
        return self.stored_size + [one.log_seq for one in self.places(WIDTH)].index(place.log_seq)
