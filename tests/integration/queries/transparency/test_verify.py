"""Against its owner: whoever drops the triggers and computes every hash anew is found by the checkpoints (docs/proof.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import GENESIS, link_hash
from lotus_web.domain.transparency.notes import Note, parse_note
from lotus_web.models import LogCheckpoint
from lotus_web.queries.audit.chain import entries, entry_content, verify_chain
from lotus_web.queries.transparency.state import checkpoint_state
from lotus_web.queries.transparency.verify import TreeReport, verify_tree
from lotus_web.services.transparency.checkpoints import Signer, find_growth, store_growth
from lotus_web.services.transparency.keys import KeyStatement, signed_statement
from lotus_web.services.transparency.rotation import rotate_key
from lotus_web.store.ed25519 import create_key, read_key
from lotus_web.store.session import db, transaction
from tests.conftest import MakeApp
from tests.support.histories import ADA, NOW, unguarded
from tests.support.logs import ORIGIN, SignedLog, fill, fill_in, log_settings, sign

LOG, TILES, CHECKPOINTS = "dg_event_log", "dg_log_tiles", "dg_log_checkpoints"
SIGNED = (300, 560)


pytestmark = pytest.mark.filled(by="signed_log")


def write(app: Flask) -> None:
    """Write a tenant's log with two checkpoints and five later entries, and one of another's."""
    fill(SIGNED[0])
    fill(40, "zurich")
    sign(app)
    fill(SIGNED[1] - SIGNED[0])
    sign(app)
    fill(5)


@pytest.fixture(scope="module")
def signed_log(tmp_path_factory: pytest.TempPathFactory) -> SignedLog:
    return SignedLog(tmp_path_factory.mktemp("log"), write)


@pytest.fixture
def app(make_app: MakeApp, signed_log: SignedLog, tmp_path: Path) -> Iterator[Flask]:
    """A deployment with that log."""
    made = make_app(**signed_log.settings(tmp_path))
    with made.app_context():
        yield made
        db.session.rollback()


def verified(app: Flask, *kept: Note, tenant_id: str = "default") -> TreeReport:
    return verify_tree(db.session(), app.extensions["lotus_settings"], tenant_id, kept=kept)


def last_signed() -> Note:
    query = (
        select(LogCheckpoint.note).where(LogCheckpoint.tenant_id == "default").order_by(LogCheckpoint.tree_size.desc())
    )
    return parse_note(db.session.scalars(query.limit(1)).one())


def chain_anew(session: Session) -> None:
    """Compute every hash of the tenant's chain and its head anew, as somebody does who owns the database."""
    head, last, anew = GENESIS, 0, []
    for row in entries(session, "default", after=0):
        linked = link_hash(entry_content(row), head)
        anew.append({"prev": head, "own": linked, "seq": row.log_seq})
        head, last = linked, row.log_seq
    if anew:
        session.execute(text(f"UPDATE {LOG} SET prev_hash = :prev, entry_hash = :own WHERE log_seq = :seq"), anew)
    session.execute(
        text(
            "UPDATE dg_workflow_runtime SET head_hash = :head, last_log_seq = :last, entry_count = :number"
            " WHERE tenant_id = 'default'"
        ),
        {"head": head, "last": last, "number": len(anew)},
    )


def edit(number: int) -> str:
    return f"UPDATE {LOG} SET correlation_id = 'forged' WHERE event_id = 'bulk-default-{number}'"


def cut(number: int) -> str:
    return f"DELETE FROM {LOG} WHERE event_id = 'bulk-default-{number}'"


def moved(number: int, place: str) -> str:
    return f"UPDATE {LOG} SET log_seq = {place} WHERE event_id = 'bulk-default-{number}'"


BEFORE_102 = f"(SELECT min(b.log_seq) FROM {LOG} b WHERE b.event_id = 'bulk-default-102') - 2"
AFTER_101 = f"(SELECT min(b.log_seq) FROM {LOG} b WHERE b.event_id = 'bulk-default-101') + 1"
CUT_TAIL = (
    f"DELETE FROM {LOG} WHERE tenant_id = 'default' AND log_seq >"
    f" (SELECT log_seq FROM {LOG} WHERE event_id = 'bulk-default-549')"
)
# What is done to the log, and how the first finding begins. In each case the chain is made whole again afterwards.
REWRITTEN = {
    "the first entry edited": ([edit(0)], "entry number 0 of"),
    "an entry of a full tile edited": ([edit(200)], "entry number 200 of"),
    "an entry behind the full tiles of the first checkpoint edited": ([edit(299)], "its root is not"),
    "an entry of the last checkpoint alone edited": ([edit(555)], "its root is not"),
    "the last entry that is signed edited": ([edit(559)], "its root is not"),
    "the first entry taken out": ([cut(0)], "entry number 0 of"),
    "an entry in the middle taken out": ([cut(270)], "its root is not"),
    "the last entry that is signed taken out": ([cut(559)], "its root is not"),
    "the end cut": ([CUT_TAIL], "the log ends after 550 entries"),
    "everything taken out": ([f"DELETE FROM {LOG} WHERE tenant_id = 'default'"], "the log ends after 0 entries"),
    "two entries exchanged": (
        [moved(100, "-1"), moved(101, "-2"), moved(101, BEFORE_102), moved(100, AFTER_101)],
        "entry number 100",
    ),
}


def test_a_log_that_was_rewritten_with_all_its_hashes_is_not_the_one_that_was_signed(app: Flask) -> None:
    with unguarded(LOG, "dg_workflow_runtime") as session:
        for name, (done, finding) in REWRITTEN.items():
            with session.begin_nested() as undo:
                for statement in done:
                    assert session.execute(text(statement)).rowcount >= 1, name  # type: ignore[attr-defined]
                chain_anew(session)
                assert verify_chain(session, "default").intact, "the chain itself cannot tell"
                assert finding in verified(app).wrong[0], name
                assert verified(app, tenant_id="zurich").intact
                undo.rollback()
    assert verified(app).intact


def test_an_entry_put_into_the_middle_is_found(app: Flask) -> None:
    with unguarded(LOG, "dg_workflow_runtime") as session:
        session.execute(text(f"UPDATE {LOG} SET log_seq = -log_seq WHERE tenant_id = 'zurich'"))
        (forged,) = fill_in(session, 1, "bern")
        values = {"id": forged.event_id}
        session.execute(
            text(
                f"UPDATE {LOG} SET tenant_id = 'default', log_seq ="
                f" (SELECT min(z.log_seq) FROM {LOG} z WHERE z.tenant_id = 'zurich') * -1 WHERE event_id = :id"
            ),
            values,
        )
        chain_anew(session)
    assert verify_chain(db.session(), "default").intact
    assert "entry number 300 of" in verified(app).wrong[0]


def test_what_was_not_touched_is_intact(app: Flask) -> None:
    report = verified(app)
    assert (report.intact, report.checkpoints, report.size) == (True, 2, SIGNED[1])
    forged = Note(last_signed().text.replace("560", "500"), last_signed().signatures)
    assert "does not verify" in verified(app, last_signed(), forged).wrong[0]
    assert verified(app, last_signed(), tenant_id="zurich").checkpoints == 1, "that of another log is left out"
    assert verified(app, last_signed()).checkpoints == 3
    state = checkpoint_state(db.session(), app.extensions["lotus_settings"], "default")
    assert state is not None
    assert (state.word, state.size, state.later_entries, state.origin) == ("intact", 560, 5, f"{ORIGIN}/default")


# What is done to the tiles and checkpoints of a log that is left alone.
FORGED = {
    "a hash of a tile": f"UPDATE {TILES} SET hashes = root WHERE tenant_id = 'default' AND tile_index = 1",
    "the root of a tile": f"UPDATE {TILES} SET root = substr(hashes, 1, 32) WHERE tenant_id = 'default' AND tile_index = 0",
    "the end of a tile": f"UPDATE {TILES} SET last_log_seq = last_log_seq + 1 WHERE tenant_id = 'default' AND tile_index = 0",
    "a tile taken out": f"DELETE FROM {TILES} WHERE tenant_id = 'default' AND tile_index = 0",
    "the size of a checkpoint": f"UPDATE {CHECKPOINTS} SET tree_size = 561 WHERE tree_size = 560",
    "the root of a checkpoint": f"UPDATE {CHECKPOINTS} SET root_hash = 'AAAA' WHERE tree_size = 560",
    "the key of a checkpoint": f"UPDATE {CHECKPOINTS} SET key_id = '00000000' WHERE tree_size = 300",
    "the text of a checkpoint": f"UPDATE {CHECKPOINTS} SET note = replace(note, '560', '559') WHERE tree_size = 560",
    "no note at all": f"UPDATE {CHECKPOINTS} SET note = '' WHERE tree_size = 560",
    "the last checkpoint taken out": f"DELETE FROM {CHECKPOINTS} WHERE tree_size = 560",
    "every checkpoint taken out": f"DELETE FROM {CHECKPOINTS}",
    "the checkpoint of another tenant": f"UPDATE {CHECKPOINTS} SET note = (SELECT z.note FROM {CHECKPOINTS} z WHERE z.tenant_id"
    " = 'zurich') WHERE tree_size = 560",
}


def test_a_forged_tile_or_checkpoint_is_found(app: Flask) -> None:
    for table in (TILES, CHECKPOINTS):
        with unguarded(table, "dg_workflow_runtime") as session:
            for name, statement in FORGED.items():
                if not statement.startswith((f"UPDATE {table} ", f"DELETE FROM {table}")):
                    continue
                with session.begin_nested() as undo:
                    assert session.execute(text(statement)).rowcount >= 1, name  # type: ignore[attr-defined]
                    session.expire_all()
                    assert not verified(app).intact, name
                    undo.rollback()
    assert verified(app).intact


def test_logs_of_two_tenants_that_were_exchanged_are_found(app: Flask) -> None:
    for table in (LOG, TILES, CHECKPOINTS):
        with unguarded(table, "dg_workflow_runtime") as session:
            for old, new in (("default", "x"), ("zurich", "default"), ("x", "zurich")):
                session.execute(text(f"UPDATE {table} SET tenant_id = '{new}' WHERE tenant_id = '{old}'"))
    assert "of a known key" in verified(app).wrong[0]


def log_of_a_thief(app: Flask, tmp_path: Path) -> None:
    """Rewrite the log, make its tiles anew and sign them with a key that is put into the store as if it were ours."""
    thief = create_key(tmp_path / "thief")
    with unguarded(LOG, "dg_workflow_runtime") as session:
        session.execute(text(edit(10)))
        chain_anew(session)
    for table in (TILES, CHECKPOINTS, "dg_log_keys"):
        with unguarded(table, "dg_workflow_runtime") as session:
            session.execute(text(f"DELETE FROM {table}"))
    growth = find_growth(db.session(), "default")
    assert growth is not None
    with transaction() as session:
        store_growth(session, growth, Signer(thief, ORIGIN), now=NOW)


def test_a_log_that_was_signed_anew_with_another_key_is_found(app: Flask, tmp_path: Path) -> None:
    log_of_a_thief(app, tmp_path)
    report = verified(app)
    assert report.wrong[0].endswith("the note has no signature of a known key")
    state = checkpoint_state(db.session(), app.extensions["lotus_settings"], "default")
    assert state is not None and state.word == "broken"


def test_a_key_that_claims_to_come_before_ours_is_not_believed(app: Flask, tmp_path: Path) -> None:
    ours, thief = read_key(tmp_path / "log_key"), create_key(tmp_path / "thief2")
    log_of_a_thief(app, tmp_path)
    note = signed_statement(KeyStatement(ours.public, thief.public, "now"), thief.sign, thief.sign)
    values = {"key": "forged", "note": str(note), "at": NOW.replace(tzinfo=None)}
    with transaction() as session:
        session.execute(
            text("INSERT INTO dg_log_keys (public_key, note, created_at) VALUES (:key, :note, :at)"), values
        )
    assert not verified(app).intact


def old_backup() -> None:
    """Put the store back to where its first checkpoint was, without a trace."""
    for table, where in (
        (LOG, f"tenant_id = 'default' AND log_seq > (SELECT last_log_seq FROM {CHECKPOINTS} WHERE tree_size = 300)"),
        (TILES, "tenant_id = 'default' AND tile_index = 1"),
        (CHECKPOINTS, "tree_size = 560"),
    ):
        with unguarded(table, "dg_workflow_runtime") as session:
            session.execute(text(f"DELETE FROM {table} WHERE {where}"))
            if table == LOG:
                chain_anew(session)


def nothing_left() -> None:
    for table in (CHECKPOINTS, TILES, LOG, "dg_log_keys"):
        with unguarded(table, "dg_workflow_runtime") as session:
            session.execute(text(f"DELETE FROM {table}"))
            if table == LOG:
                chain_anew(session)


def test_what_leaves_no_trace_in_the_store_is_found_with_a_checkpoint_that_was_kept_elsewhere(app: Flask) -> None:
    kept = last_signed()
    for done in (old_backup, nothing_left):
        done()
        assert verify_chain(db.session(), "default").intact
        assert verified(app).intact, "the store alone cannot tell: docs/proof.md says so"
        report = verified(app, kept)
        assert "checkpoint of 560 entries that was kept elsewhere: the log ends after" in report.wrong[0]


@pytest.mark.filled(by=None)
def test_the_folder_of_checkpoints_finds_what_leaves_no_trace_in_the_store(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(**log_settings(tmp_path, LOTUS_CHECKPOINT_DIR=str(tmp_path / "kept")))
    with app.app_context():
        fill(SIGNED[0])
        sign(app)
        fill(SIGNED[1] - SIGNED[0])
        sign(app)
        sign(app)
        kept = sorted((tmp_path / "kept").rglob("*.note"))
        assert [int(path.name[:20]) for path in kept] == list(SIGNED)
        assert kept[0].parent.name == "lotus.example%2Flog%2Fdefault"
        assert all(path.stat().st_mode & 0o777 == 0o444 for path in kept)
        assert verified(app).checkpoints == 3
        old_backup()
        assert "kept elsewhere: the log ends after" in verified(app).wrong[0]
        kept[1].chmod(0o644)
        kept[1].write_bytes(b"nothing")
        assert "a checkpoint that was kept elsewhere: " in verified(app).wrong[0]
        kept[1].unlink()
        assert verified(app).intact
        db.session.rollback()


def test_checkpoints_of_an_earlier_key_are_verified_after_its_change(app: Flask, tmp_path: Path) -> None:
    old, new = read_key(tmp_path / "log_key"), create_key(tmp_path / "new")
    for _ in range(2):
        with transaction() as session:
            rotate_key(session, old, new, actor=ADA, now=NOW)
    (tmp_path / "new").replace(tmp_path / "log_key")
    sign(app)
    report = verified(app)
    assert (report.intact, report.checkpoints, report.size) == (True, 3, 566), "the change is an entry too"
    lines = db.session.execute(text("SELECT tenant_id FROM dg_audit_records WHERE action = 'rotate_log_key'")).scalars()
    assert sorted(lines) == ["default", "zurich"]


def test_without_a_key_the_signatures_are_not_taken_as_good(app: Flask, make_app: MakeApp) -> None:
    plain = make_app()
    assert verified(plain).wrong == [
        "the signatures of its checkpoints cannot be verified: LOTUS_LOG_KEY_FILE is not set"
    ]
    state = checkpoint_state(db.session(), plain.extensions["lotus_settings"], "default")
    assert state is not None and state.word == "unknown"
    assert verified(plain, tenant_id="nobody").intact
