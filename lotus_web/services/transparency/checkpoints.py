"""Checkpoints: the tree follows the log, some entries at a time, and each step is signed once it continues the one before.

Nothing here is part of an append. What a step needs is read and hashed before its transaction begins, which then only inserts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.transparency.checkpoints import Checkpoint, origin_of
from lotus_web.domain.transparency.growth import FullTile
from lotus_web.domain.transparency.notes import Note, Signature, VerifierKey, encode
from lotus_web.domain.transparency.tiles import WIDTH, pack_hashes
from lotus_web.models import LogCheckpoint, LogTile, TenantRuntime
from lotus_web.models.stored_tree import StoredTree, hashed_leaves, last_checkpoint
from lotus_web.services.transparency.keys import check_key
from lotus_web.store.ed25519 import SigningKey
from lotus_web.store.session import see_one_moment
from lotus_web.store.upserts import insert_into

# The most entries of one step; more than one is taken, one after the other, where a log is longer.
STEP = 64 * WIDTH
LOG_REWRITTEN = "LOG_REWRITTEN"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs checkpoints: the key, and the name of the deployment that begins the origin of each log."""

    key: SigningKey
    deployment: str

    def sign(self, checkpoint: Checkpoint) -> Note:
        """Return a signed checkpoint."""
        key, text = VerifierKey(checkpoint.origin, self.key.public), str(checkpoint)
        return Note(text, (Signature(key.name, key.key_id, self.key.sign(text.encode())),))


@dataclass(frozen=True, slots=True)
class Growth:
    """What the log gained since the checkpoint of size ``since``; ``ends`` are the last entries of the full tiles of level 0."""

    tenant_id: str
    since: int
    size: int
    root: bytes
    last_log_seq: int
    tiles: tuple[FullTile, ...]
    ends: tuple[int, ...]


def growing_tenants(session: Session) -> Iterator[str]:
    """Yield the tenants whose log has entries that no checkpoint covers."""
    covered = (
        select(func.max(LogCheckpoint.last_log_seq))
        .where(LogCheckpoint.tenant_id == TenantRuntime.tenant_id)
        .scalar_subquery()
    )
    grown = TenantRuntime.last_log_seq > func.coalesce(covered, 0)
    yield from session.scalars(select(TenantRuntime.tenant_id).where(grown).order_by(TenantRuntime.tenant_id)).all()


def newest_notes(session: Session) -> list[tuple[str, int, str]]:
    """Return tenant, size and note of the last checkpoint of each log."""
    newest = (
        select(LogCheckpoint.tenant_id, func.max(LogCheckpoint.tree_size).label("tree_size"))
        .group_by(LogCheckpoint.tenant_id)
        .subquery()
    )
    is_newest = (LogCheckpoint.tenant_id == newest.c.tenant_id) & (LogCheckpoint.tree_size == newest.c.tree_size)
    found = select(LogCheckpoint.tenant_id, LogCheckpoint.tree_size, LogCheckpoint.note).join(newest, is_newest)
    return [(row.tenant_id, row.tree_size, row.note) for row in session.execute(found)]


def find_growth(session: Session, tenant_id: str) -> Growth | None:
    """Return the next step of a tenant's tree, None if there is nothing new; writes nothing and begins a read transaction.

    Raises Conflict ``LOG_REWRITTEN`` if the log no longer gives the root that was signed last: it is not signed again.
    """
    # Another process may take this step meanwhile: its tiles must not be seen without its checkpoint.
    see_one_moment(session)
    before = last_checkpoint(session, tenant_id)
    tree = StoredTree.of(session, tenant_id)
    places = tree.places(WIDTH + STEP)
    since = before.tree_size if before is not None else 0
    old = since - tree.stored_size
    leaves = hashed_leaves(places)
    if before is not None:
        _check_continued(tree, before, leaves[: max(old, 0)])
    if len(places) <= old:
        return None
    edge = tree.edge([])
    tiles = edge.add(leaves)
    ends = [places[end - 1].log_seq for end in range(WIDTH, len(places) + 1, WIDTH)]
    return Growth(tenant_id, since, edge.size, edge.root(), places[-1].log_seq, tuple(tiles), tuple(ends))


def _check_continued(tree: StoredTree, before: LogCheckpoint, leaves: Sequence[bytes]) -> None:
    edge = tree.edge(leaves)
    if (edge.size, encode(edge.root())) == (before.tree_size, before.root_hash):
        return
    message = Sentence(
        "The log of {tenant} no longer gives the root that was signed at {size} entries: no checkpoint is signed."
        " flask --app app audit verify says what was changed.",
        tenant=tree.tenant_id,
        size=before.tree_size,
    )
    raise Conflict(LOG_REWRITTEN, message)


def store_growth(session: Session, growth: Growth, signer: Signer, *, now: datetime) -> bool:
    """Store a step and its signed checkpoint; False if another process has taken this step meanwhile.

    Raises Conflict ``LOG_KEY_NOT_RECORDED`` for another key than the recorded one.
    """
    check_key(session, signer.key, now=now)
    before = last_checkpoint(session, growth.tenant_id)
    if (before.tree_size if before is not None else 0) != growth.since:
        return False
    _insert_tiles(session, growth)
    checkpoint = Checkpoint(origin_of(signer.deployment, growth.tenant_id), growth.size, growth.root)
    note = signer.sign(checkpoint)
    values = {
        "tenant_id": growth.tenant_id,
        "tree_size": growth.size,
        "root_hash": encode(growth.root),
        "last_log_seq": growth.last_log_seq,
        "key_id": note.signatures[0].key_id.hex(),
        "note": str(note),
        "created_at": now,
    }
    done = (
        insert_into(session, LogCheckpoint).values(values).on_conflict_do_nothing().returning(LogCheckpoint.tree_size)
    )
    return session.scalars(done).one_or_none() is not None


def _insert_tiles(session: Session, growth: Growth) -> None:
    ends = iter(growth.ends)
    rows, last = [], 0
    for tile in growth.tiles:
        # A tile above is full with the one that was filled just before it, and ends where that ends.
        last = next(ends) if tile.level == 0 else last
        rows.append(
            {
                "tenant_id": growth.tenant_id,
                "level": tile.level,
                "tile_index": tile.index,
                "hashes": pack_hashes(tile.hashes),
                "root": tile.root,
                "last_log_seq": last,
            }
        )
    if rows:
        session.execute(insert_into(session, LogTile).on_conflict_do_nothing(), rows)
