"""Verifying a tenant's whole tree: every entry against its tile, every tile, and the root of every checkpoint that was signed.

One pass over places and hashes of the entries, in batches, so memory does not grow with the log. That an entry says what its
hash is over is the business of the chain (queries/audit/chain.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.transparency.checkpoints import Checkpoint, parse_checkpoint
from lotus_web.domain.transparency.growth import FullTile, RightEdge
from lotus_web.domain.transparency.notes import InvalidNote, Note, VerifierKey, parse_note, verified_by
from lotus_web.domain.transparency.tiles import WIDTH, pack_hashes, unpack_hashes
from lotus_web.models import LogCheckpoint, LogTile
from lotus_web.models.stored_tree import Place, StoredTree, entry_places, hashed_leaves
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.queries.transparency.state import signed_checkpoint
from lotus_web.store.checkpoint_files import newest
from lotus_web.store.ed25519 import NoSigningKey, verify

BATCH = 64 * WIDTH
CHECKPOINTS = 1_000


@dataclass(slots=True)
class TreeReport:
    """What the verification of a tree found: how many checkpoints hold, over how many entries, and what is wrong, the first first."""

    tenant_id: str
    checkpoints: int = 0
    size: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """True when nothing is wrong."""
        return not self.wrong


def verify_tree(session: Session, settings: Settings, tenant_id: str, *, kept: Sequence[Note] = ()) -> TreeReport:
    """Verify a tenant's tree against its checkpoints and against those kept outside the store, in LOTUS_CHECKPOINT_DIR or ``kept``.

    Of ``kept`` ones those of other logs are left out.
    """
    report = TreeReport(tenant_id)
    # Before the checkpoints: one that is signed meanwhile brings its tiles with it.
    full = StoredTree.of(session, tenant_id).stored_size
    try:
        keys = log_keys(session, settings, tenant_id)
    except NoSigningKey as problem:
        if _count(session, tenant_id) or kept:
            report.wrong.append(f"the signatures of its checkpoints cannot be verified: {problem}")
        return report
    walk = _Walk(session, tenant_id)
    outside = _kept_outside(settings, keys, kept, report)
    expected = _merged(_signed(session, tenant_id, keys, report), sorted(outside, key=lambda one: one.size))
    for checkpoint, origin in expected:
        why = walk.reach(checkpoint)
        if why is not None:
            report.wrong.append(f"{origin}: {why}")
            return report
        report.checkpoints, report.size = report.checkpoints + 1, checkpoint.size
    if full > report.size:
        report.wrong.append(f"the tree holds {full} entries, and no checkpoint covers more than {report.size}")
    return report


def _count(session: Session, tenant_id: str) -> int:
    query = select(func.count()).select_from(LogCheckpoint).where(LogCheckpoint.tenant_id == tenant_id)
    return session.scalars(query).one()


def _signed(
    session: Session, tenant_id: str, keys: tuple[VerifierKey, ...], report: TreeReport
) -> Iterator[tuple[Checkpoint, str]]:
    """Yield the stored checkpoints that a known key signed, smallest first; the others are wrong."""
    after = -1
    while True:
        rows = session.scalars(
            select(LogCheckpoint)
            .where(LogCheckpoint.tenant_id == tenant_id, LogCheckpoint.tree_size > after)
            .order_by(LogCheckpoint.tree_size)
            .limit(CHECKPOINTS)
        ).all()
        if not rows:
            return
        for row in rows:
            try:
                yield signed_checkpoint(row, keys), f"checkpoint of {row.tree_size} entries"
            except InvalidNote as problem:
                report.wrong.append(f"checkpoint of {row.tree_size} entries: {problem}")
            session.expunge(row)
        after = rows[-1].tree_size


def _kept_outside(
    settings: Settings, keys: tuple[VerifierKey, ...], kept: Sequence[Note], report: TreeReport
) -> list[Checkpoint]:
    """Return the checkpoints of this log that were kept outside the store; those that no known key signed are wrong."""
    files = newest(Path(settings.checkpoint_dir), keys[0].name) if settings.checkpoint_dir else []
    found = []
    given: list[bytes] = [str(note).encode() for note in kept]
    for data in given + files:
        try:
            note = parse_note(data)
            checkpoint = parse_checkpoint(note.text)
            if checkpoint.origin == keys[0].name:
                verified_by(note, keys, verify)
                found.append(checkpoint)
        except InvalidNote as problem:
            report.wrong.append(f"a checkpoint that was kept elsewhere: {problem}")
    return found


def _merged(
    stored: Iterator[tuple[Checkpoint, str]], outside: Sequence[Checkpoint]
) -> Iterator[tuple[Checkpoint, str]]:
    """Yield the stored checkpoints and those kept elsewhere together, smallest first."""
    waiting = list(outside)[::-1]
    for checkpoint, origin in stored:
        while waiting and waiting[-1].size <= checkpoint.size:
            yield _elsewhere(waiting.pop())
        yield checkpoint, origin
    while waiting:
        yield _elsewhere(waiting.pop())


def _elsewhere(checkpoint: Checkpoint) -> tuple[Checkpoint, str]:
    return checkpoint, f"checkpoint of {checkpoint.size} entries that was kept elsewhere"


class _Walk:
    """Where the verification stands: the edge of the tree of all entries so far, and entries that were read ahead."""

    def __init__(self, session: Session, tenant_id: str):
        self.session, self.tenant_id = session, tenant_id
        self.edge = RightEdge()
        self.ahead: list[Place] = []
        self.log_seq = 0

    def reach(self, checkpoint: Checkpoint) -> str | None:
        """Go on to the entries that a checkpoint covers; return what is wrong on the way, in words."""
        while self.edge.size < checkpoint.size:
            if not self.ahead:
                found = entry_places(self.session, self.tenant_id, after=self.log_seq, limit=BATCH)
                if not found:
                    return f"the log ends after {self.edge.size} entries"
                self.ahead, self.log_seq = list(found), found[-1].log_seq
            why = self._take(checkpoint.size - self.edge.size)
            if why is not None:
                return why
        if self.edge.root() != checkpoint.root:
            return "its root is not that of the log: an entry that it covers was changed, added or taken out"
        return None

    def _take(self, most: int) -> str | None:
        """Add entries, at most to the end of the tile of level 0."""
        count = min(most, WIDTH - len(self.edge.rows[0]), len(self.ahead))
        taken, self.ahead = self.ahead[:count], self.ahead[count:]
        for tile in self.edge.add(hashed_leaves(taken)):
            why = self._compared(tile, taken[-1].log_seq)
            if why is not None:
                return why
        return None

    def _compared(self, tile: FullTile, last: int) -> str | None:
        stored = self.session.get(LogTile, (self.tenant_id, tile.level, tile.index))
        name = f"tile {tile.index} of level {tile.level}"
        if stored is None:
            return f"{name} is missing"
        self.session.expunge(stored)
        if (stored.hashes, stored.root, stored.last_log_seq) == (pack_hashes(tile.hashes), tile.root, last):
            return None
        differs = [a != b for a, b in zip(_hashes(stored.hashes), tile.hashes, strict=False)]
        if tile.level == 0 and any(differs):
            number = tile.index * WIDTH + differs.index(True)
            return f"entry number {number} of the log (counted from 0) is not the one that was signed there"
        return f"{name} is not the one of the log"


def _hashes(data: bytes) -> list[bytes]:
    try:
        return unpack_hashes(data)
    except ValueError:
        return []
