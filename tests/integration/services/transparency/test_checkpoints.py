"""Checkpoints: the tree follows the log step by step, each is signed once it continues the one before, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from lotus_web.domain.errors import Conflict
from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.checkpoints import parse_checkpoint
from lotus_web.domain.transparency.notes import encode, parse_note
from lotus_web.models import EventLogEntry, LogCheckpoint, LogTile
from lotus_web.models.stored_tree import StoredTree
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.services.transparency import checkpoints
from lotus_web.services.transparency.checkpoints import Signer, find_growth, store_growth
from lotus_web.store.ed25519 import create_key, read_key
from lotus_web.store.session import db, transaction
from tests.conftest import MakeApp
from tests.support.histories import NOW, count, unguarded
from tests.support.logs import ORIGIN, fill, log_settings, sign
from tests.tools.third_party_tlog import aics_tlog


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Iterator[Flask]:
    """An application that signs checkpoints, with its context open."""
    made = make_app(**log_settings(tmp_path))
    with made.app_context():
        yield made
        db.session.rollback()


def stored() -> list[LogCheckpoint]:
    db.session.rollback()
    return list(db.session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.tree_size)))


def leaves(tenant_id: str = "default") -> list[bytes]:
    query = select(EventLogEntry.entry_hash).where(EventLogEntry.tenant_id == tenant_id)
    return [one.encode() for one in db.session.scalars(query.order_by(EventLogEntry.log_seq))]


def test_each_step_is_signed_and_gives_the_root_of_the_log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "STEP", 256)
    for new in (1, 254, 1, 1, 300, 700):
        fill(new)
        assert sign(app)["entries"] == new
        assert sign(app) == {"signed": 0, "entries": 0}
    rows, data = stored(), leaves()
    assert rows[-1].tree_size == len(data) == 1257
    assert len(rows) == 6 + 1, "seven hundred entries take two steps of at most 512"
    tree = aics_tlog.MerkleTree(data)
    key = aics_tlog.parse_vkey(str(log_keys(db.session(), app.extensions["lotus_settings"], "default")[0]))
    for row in rows:
        found = aics_tlog.verify_checkpoint(
            aics_tlog.parse_note(row.note), key, expected_origin=f"{ORIGIN}/default", quorum=0
        )
        assert (found.ok, found.size, found.root) == (True, row.tree_size, tree.root(row.tree_size)), found.error
        assert encode(found.root) == row.root_hash
    assert count("dg_log_tiles") == 4


def test_proofs_out_of_the_store_convince_another_implementation(app: Flask) -> None:
    fill(256)
    sign(app)
    fill(400)
    sign(app)
    fill(30)  # not covered by any checkpoint yet
    old, new = (parse_checkpoint(parse_note(row.note).text) for row in stored())
    rows = db.session.scalars(select(EventLogEntry).order_by(EventLogEntry.log_seq)).all()
    tree = StoredTree.of(db.session(), "default")
    nodes = tree.nodes(new.size)
    for number in (0, 255, 256, 511, 512, 655):
        assert tree.index_of(rows[number]) == number
        proof = merkle.inclusion_proof(number, new.size, nodes)
        assert aics_tlog.verify_leaf_inclusion(rows[number].entry_hash.encode(), number, new.size, proof, new.root)
    proof = merkle.consistency_proof(old.size, new.size, nodes)
    assert aics_tlog.verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_tenants_have_trees_of_their_own(app: Flask) -> None:
    fill(3, "zurich")
    fill(300)
    fill(300, "zurich")
    fill(5, "bern/ost +")
    assert sign(app) == {"signed": 3, "entries": 608}
    trees = {row.tenant_id: row for row in stored()}
    assert {name: row.tree_size for name, row in trees.items()} == {"default": 300, "zurich": 303, "bern/ost +": 5}
    for tenant_id, row in trees.items():
        assert encode(aics_tlog.MerkleTree(leaves(tenant_id)).root()) == row.root_hash
    assert trees["bern/ost +"].note.startswith(f"{ORIGIN}/bern%2Fost%20%2B\n")


def test_a_log_that_was_rewritten_is_not_signed_again_and_holds_up_no_other(app: Flask) -> None:
    fill(20)
    fill(20, "zurich")
    sign(app)
    with unguarded("dg_event_log") as session:
        session.execute(text("UPDATE dg_event_log SET entry_hash = 'sha256:forged' WHERE event_id = 'bulk-default-7'"))
    fill(5)
    fill(5, "zurich")
    with pytest.raises(Conflict, match="no longer gives the root that was signed at 20 entries"):
        sign(app)
    assert {(row.tenant_id, row.tree_size) for row in stored()} == {("default", 20), ("zurich", 20), ("zurich", 25)}


def test_a_log_whose_end_was_cut_and_grown_again_is_not_signed(app: Flask) -> None:
    fill(300)
    sign(app)
    with unguarded("dg_event_log") as session:
        session.execute(text("DELETE FROM dg_event_log WHERE event_id = 'bulk-default-299'"))
    fill(5)
    with pytest.raises(Conflict, match="no longer gives the root"):
        sign(app)


def test_of_two_processes_that_take_the_same_step_one_stores_it(app: Flask, tmp_path: Path) -> None:
    fill(300)
    signer = Signer(read_key(tmp_path / "log_key"), ORIGIN)
    one = find_growth(db.session(), "default")
    fill(10)
    other = find_growth(db.session(), "default")
    assert one is not None and other is not None and one.size < other.size
    done = []
    for growth in (one, other, one):
        with transaction() as session:
            done.append(store_growth(session, growth, signer, now=NOW))
    assert done == [True, False, False]
    assert [row.tree_size for row in stored()] == [300]
    assert sign(app)["entries"] == 10


def test_another_key_signs_nothing_before_its_change_is_recorded(app: Flask, tmp_path: Path) -> None:
    fill(3)
    sign(app)
    fill(3)
    (tmp_path / "log_key").unlink()
    create_key(tmp_path / "other")
    (tmp_path / "other").rename(tmp_path / "log_key")
    with pytest.raises(Conflict, match="not the one that signed"):
        sign(app)
    assert [row.tree_size for row in stored()] == [3]


def test_tiles_checkpoints_and_keys_can_be_neither_changed_nor_removed(app: Flask) -> None:
    fill(300)
    sign(app)
    for table, column in (("dg_log_tiles", "root"), ("dg_log_checkpoints", "note"), ("dg_log_keys", "note")):
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"), transaction() as session:
                session.execute(text(statement))
        assert count(table) == 1


def test_without_a_key_nothing_is_signed(make_app: MakeApp) -> None:
    plain = make_app()
    with plain.app_context():
        fill(3)
        assert sign(plain) == {"signed": 0, "entries": 0}
        assert stored() == []
        assert db.session.scalars(select(LogTile)).all() == []
        db.session.rollback()
