"""What the log gives to those who verify it: its last checkpoint, its tiles, and proofs for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.notes import decode
from lotus_web.domain.transparency.tiles import TilePath, entry_bundle, pack_hashes, parse_tile_path
from lotus_web.models import EventLogEntry, LogCheckpoint
from lotus_web.models.stored_tree import StoredTree, cosignatures, hashed_leaves, last_checkpoint, leaf_of

NOT_SIGNED = "NOT_SIGNED_YET"
LOG_MISMATCH = "LOG_MISMATCH"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry is leaf ``leaf_index`` of the tree of a checkpoint; hashes are bytes, ``checkpoint`` its signed note."""

    event_id: str
    log_seq: int
    entry_hash: str
    leaf_index: int
    tree_size: int
    root: bytes
    proof: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of size ``old`` is the beginning of that of size ``new``."""

    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: tuple[bytes, ...]


def newest_checkpoint(session: Session, tenant_id: str) -> LogCheckpoint:
    """Return a tenant's last checkpoint; raises Conflict ``NOT_SIGNED_YET``."""
    found = last_checkpoint(session, tenant_id)
    if found is None:
        raise Conflict(NOT_SIGNED, "No checkpoint of this log has been signed yet.")
    return found


def cosigned_note(session: Session, checkpoint: LogCheckpoint) -> str:
    """Return a checkpoint as it was signed, with the signatures of witnesses below it."""
    return checkpoint.note + "".join(cosignatures(session, checkpoint))


def tile_bytes(session: Session, tenant_id: str, path: str) -> tuple[TilePath, bytes]:
    """Return a tile, or a bundle of entries, of the tree of the last checkpoint, by its path; raises NotFound."""
    try:
        tile = parse_tile_path(path)
    except ValueError:
        raise NotFound from None
    signed = last_checkpoint(session, tenant_id)
    if signed is None or tile.end > signed.tree_size:
        raise NotFound
    tree = StoredTree.of(session, tenant_id)
    if tile.level is None:
        places = tree.bundle(tile.index, signed.tree_size)[: tile.width]
        return tile, entry_bundle([leaf_of(place.entry_hash) for place in places])
    return tile, pack_hashes(tree.tile(tile.level, tile.index, signed.tree_size)[: tile.width])


def inclusion_proof(session: Session, tenant_id: str, event_id: str) -> InclusionProof:
    """Return the proof that an entry is in the tree of the last checkpoint.

    Raises NotFound, Conflict ``NOT_SIGNED_YET`` for an entry that is newer than the checkpoint, and Conflict ``LOG_MISMATCH``
    if the log as it is stored does not give the root that was signed.
    """
    mine = EventLogEntry.tenant_id == tenant_id
    query = select(EventLogEntry.log_seq, EventLogEntry.entry_hash).where(mine, EventLogEntry.event_id == event_id)
    entry = session.execute(query).one_or_none()
    if entry is None:
        raise NotFound
    signed = newest_checkpoint(session, tenant_id)
    if entry.log_seq > signed.last_log_seq:
        raise Conflict(NOT_SIGNED, "This entry is newer than the last checkpoint; the next one will cover it.")
    tree, root = StoredTree.of(session, tenant_id), decode(signed.root_hash)
    try:
        index = tree.index_of(entry)
        proof = merkle.inclusion_proof(index, signed.tree_size, tree.nodes(signed.tree_size, near=[index]))
    except (IndexError, ValueError):
        raise log_mismatch(signed) from None
    (leaf,) = hashed_leaves([entry])
    if not merkle.verify_inclusion(leaf, index, signed.tree_size, proof, root):
        raise log_mismatch(signed)
    return InclusionProof(
        event_id,
        entry.log_seq,
        entry.entry_hash,
        index,
        signed.tree_size,
        root,
        tuple(proof),
        cosigned_note(session, signed),
    )


def consistency_proof(session: Session, tenant_id: str, old: int, new: int | None = None) -> ConsistencyProof:
    """Return the proof that one tree is the beginning of another, that of the last checkpoint unless ``new`` is given.

    Raises Conflict ``NOT_SIGNED_YET`` and ``LOG_MISMATCH`` as ``inclusion_proof`` does, and InvalidInput for sizes that are
    not in order or larger than what is signed.
    """
    signed = newest_checkpoint(session, tenant_id)
    new = signed.tree_size if new is None else new
    if new > signed.tree_size:
        message = Sentence("The last checkpoint covers {size} entries.", size=signed.tree_size)
        raise InvalidInput("invalid_argument", message, loc=("query", "to"))
    if old > new:
        raise InvalidInput("invalid_argument", "from must not be larger than to", loc=("query", "from"))
    nodes = StoredTree.of(session, tenant_id).nodes(signed.tree_size, near=[old - 1, new - 1])
    try:
        roots = [merkle.root(size, nodes) for size in (old, new, signed.tree_size)]
        proof = merkle.consistency_proof(old, new, nodes)
    except (IndexError, ValueError):
        raise log_mismatch(signed) from None
    if roots[2] != decode(signed.root_hash) or not merkle.verify_consistency(old, new, roots[0], roots[1], proof):
        raise log_mismatch(signed)
    return ConsistencyProof(old, new, roots[0], roots[1], tuple(proof))


def log_mismatch(signed: LogCheckpoint) -> Conflict:
    """Return the refusal to prove anything out of a log that is not the one that was signed."""
    message = Sentence(
        "The log as it is stored does not give the root that was signed at {size} entries: audit verify says more.",
        size=signed.tree_size,
    )
    return Conflict(LOG_MISMATCH, message)
