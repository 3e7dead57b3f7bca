"""The transparency log of the event log: full tiles of each tenant's tree, signed checkpoints, and the keys that sign them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


class LogTile(Base):
    """A full tile: 256 hashes, and the hash over them; a trigger refuses UPDATE and DELETE.

    ``last_log_seq`` is the last entry under it, so that an entry's tile is found by its place in the log.
    """

    __tablename__ = "dg_log_tiles"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tile_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    last_log_seq: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_dg_log_tiles_entries", "tenant_id", "level", "last_log_seq"),
        # The hashes of a row are long: what lies above them is read from here.
        Index("ix_dg_log_tiles_roots", "tenant_id", "level", "tile_index", "root"),
    )


class LogCheckpoint(Base):
    """A checkpoint as it was signed; the columns next to ``note`` say the same, for look-ups. Append-only by trigger.

    ``last_log_seq`` is the last entry that it covers, ``root_hash`` base 64 as in the note, ``key_id`` hex.
    """

    __tablename__ = "dg_log_checkpoints"

    checkpoint_seq: Mapped[int] = mapped_column(SEQUENCE, primary_key=True)
    tenant_id: Mapped[str]
    tree_size: Mapped[int] = mapped_column(BigInteger)
    root_hash: Mapped[str]
    last_log_seq: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str]
    note: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "tree_size"),
        {"sqlite_autoincrement": True},
    )


class LogKey(Base):
    """The statement that a key signs the checkpoints from now on, signed by the key before it too. Append-only by trigger."""

    __tablename__ = "dg_log_keys"

    key_seq: Mapped[int] = mapped_column(SEQUENCE, primary_key=True)
    public_key: Mapped[str] = mapped_column(unique=True)
    note: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = ({"sqlite_autoincrement": True},)


class LogCosignature(Base):
    """The signature of a witness below a checkpoint, as a line of a note; ``witness`` is its key. Append-only by trigger."""

    __tablename__ = "dg_log_cosignatures"

    cosignature_seq: Mapped[int] = mapped_column(SEQUENCE, primary_key=True)
    tenant_id: Mapped[str]
    tree_size: Mapped[int] = mapped_column(BigInteger)
    witness: Mapped[str]
    signature: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "tree_size", "witness"),
        {"sqlite_autoincrement": True},
    )
