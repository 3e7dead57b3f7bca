"""The last checkpoint of a tenant's log, and whether it holds: signed by a known key, and the root of what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.checkpoints import Checkpoint, parse_checkpoint
from lotus_web.domain.transparency.notes import InvalidNote, VerifierKey, encode, parse_note, verified_by
from lotus_web.models import LogCheckpoint, TenantRuntime
from lotus_web.models.stored_tree import StoredTree, cosignatures, last_checkpoint
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.store.ed25519 import NoSigningKey, verify


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """A checkpoint: when it was signed, over how many entries, and how many came after it.

    ``witnesses`` are those of LOTUS_WITNESSES whose signature is below it. ``wrong`` is what does not hold, in words; ``unverified`` is why nobody here can tell. Both None: it holds.
    """

    size: int
    root: str
    origin: str
    note: str
    key_id: str
    signed_at: datetime
    later_entries: int
    witnesses: tuple[str, ...]
    wrong: str | None
    unverified: str | None

    @property
    def word(self) -> str:
        """``intact``, ``broken`` or ``unknown``, for the badge."""
        if self.wrong is not None:
            return "broken"
        return "intact" if self.unverified is None else "unknown"


def checkpoint_state(session: Session, settings: Settings, tenant_id: str) -> CheckpointState | None:
    """Return the state of a tenant's last checkpoint, None where there is none; reads a handful of tiles."""
    row = last_checkpoint(session, tenant_id)
    if row is None:
        return None
    row, tree = _with_its_tree(session, row)
    wrong = unverified = None
    try:
        checkpoint = signed_checkpoint(row, log_keys(session, settings, tenant_id))
        wrong = _contradiction(tree, checkpoint)
    except InvalidNote as problem:
        wrong = str(problem)
    except NoSigningKey as problem:
        unverified = str(problem)
    runtime = session.get(TenantRuntime, tenant_id)
    return CheckpointState(
        size=row.tree_size,
        root=row.root_hash,
        origin=row.note.partition("\n")[0],
        note=row.note,
        key_id=row.key_id,
        signed_at=row.created_at,
        later_entries=max(0, (runtime.entry_count if runtime else 0) - row.tree_size),
        witnesses=_witnesses(session, settings, row),
        wrong=wrong,
        unverified=unverified,
    )


def _witnesses(session: Session, settings: Settings, row: LogCheckpoint) -> tuple[str, ...]:
    lines = cosignatures(session, row) if settings.witnesses else ()
    try:
        note = parse_note(row.note + "".join(lines))
        found = verified_by(note, [one.key for one in settings.witnesses], verify)
    except InvalidNote:
        return ()
    return tuple(key.name for key in found)


def signed_checkpoint(row: LogCheckpoint, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    """Return what a stored checkpoint says.

    Raises InvalidNote if no known key signed it, if it is of another log, or if the columns next to it say something else.
    """
    note = parse_note(row.note)
    (key, *_) = verified_by(note, keys, verify)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != keys[0].name:
        raise InvalidNote("the checkpoint is of another log")
    said = (checkpoint.size, encode(checkpoint.root), key.key_id.hex())
    if said != (row.tree_size, row.root_hash, row.key_id):
        raise InvalidNote("the checkpoint is stored with another size, root or key than it was signed with")
    return checkpoint


def _with_its_tree(session: Session, row: LogCheckpoint) -> tuple[LogCheckpoint, StoredTree]:
    """Return the last checkpoint and the tree, also where the next one is signed between the two reads."""
    while True:
        tree = StoredTree.of(session, row.tenant_id)
        newer = last_checkpoint(session, row.tenant_id) if tree.stored_size > row.tree_size else row
        if newer is None or newer.tree_size <= row.tree_size:
            return row, tree
        row = newer


def _contradiction(tree: StoredTree, checkpoint: Checkpoint) -> str | None:
    if tree.stored_size > checkpoint.size:
        return "newer checkpoints are missing: the tiles of the tree hold more entries than the last one covers"
    try:
        found = merkle.root(checkpoint.size, tree.nodes(checkpoint.size))
    except (IndexError, ValueError):
        found = merkle.EMPTY_ROOT
    if found == checkpoint.root:
        return None
    return "the log no longer gives the root that was signed: entries that it covers were changed or are missing"
