"""The routes of the log give all that somebody needs who trusts neither this deployment nor its code."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.access import Permission
from lotus_web.domain.transparency.tiles import tiles_of
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.store.session import db
from tests.conftest import MakeApp
from tests.contract.callers import Caller
from tests.contract.conftest import MakeCaller
from tests.support.histories import unguarded
from tests.support.logs import ORIGIN, SignedLog, fill, sign
from tests.tools.third_party_tlog import aics_tlog

SIZES = (300, 600)


pytestmark = pytest.mark.filled(by="signed_log")


def write(app: Flask) -> None:
    """Write a log with two checkpoints and five later entries."""
    for before, size in zip((0, *SIZES), SIZES, strict=False):
        fill(size - before)
        sign(app)
    fill(5)


@pytest.fixture(scope="module")
def signed_log(tmp_path_factory: pytest.TempPathFactory) -> SignedLog:
    return SignedLog(tmp_path_factory.mktemp("log"), write)


@pytest.fixture
def app(make_app: MakeApp, signed_log: SignedLog, tmp_path: Path) -> Flask:
    """A deployment with that log."""
    return make_app(**signed_log.settings(tmp_path))


@pytest.fixture
def auditor(make_caller: MakeCaller) -> Caller:
    """An account that may do nothing else."""
    return make_caller("auditor", (Permission.WORKFLOW_EXPORT,))


def test_another_implementation_verifies_all_that_the_routes_give(app: Flask, auditor: Caller) -> None:
    answer = auditor.get("/log/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    with app.app_context():
        key = aics_tlog.parse_vkey(str(log_keys(db.session(), app.extensions["lotus_settings"], "default")[0]))
    note = aics_tlog.parse_note(answer.data)
    signed = aics_tlog.verify_checkpoint(note, key, expected_origin=f"{ORIGIN}/default")
    assert (signed.ok, signed.size) == (True, SIZES[-1]), signed.error
    stored = {}
    for tile in tiles_of(signed.size):
        for path in [str(tile)] + ([f"entries/{str(tile)[2:]}"] if tile.level == 0 else []):
            answer = auditor.get(f"/log/tile/{path}")
            assert (answer.status_code, answer.content_type) == (200, "application/octet-stream"), path
            assert answer.headers["Cache-Control"] == (
                "no-store" if ".p/" in path else "private, max-age=31536000, immutable"
            )
            stored[f"tile/{path}"] = answer.data
    reader = aics_tlog.MemoryTileReader(stored)
    assert aics_tlog.tree_root_from_tiles(reader, signed.size) == signed.root
    for number in (0, 255, 256, 599):
        entry = aics_tlog.read_entry(reader, number, signed.size)
        proof = aics_tlog.inclusion_proof_from_tiles(reader, number, signed.size)
        assert entry.startswith(b"sha256:")
        assert aics_tlog.verify_leaf_inclusion(entry, number, signed.size, proof, signed.root)


def test_tiles_of_an_earlier_checkpoint_are_there_and_a_path_may_be_encoded(auditor: Caller) -> None:
    for path in ("0/001.p/44", "entries/001.p/44", "1/000.p/1", "0/001.p/44".replace("/", "%2F")):
        assert auditor.get(f"/log/tile/{path}").status_code == 200, path


NO_TILES = [
    "0/002", "0/002.p/89", "entries/002.p/93", "1/000.p/3", "1/000", "2/000.p/1", "0/0", "0/000.p/0", "00/000", "x", "", "0/000/",
    "0/x000/000", "0/000.p/256", "9999999/000", "entries/x999/x999/x999/x999/x999/x999/x999/999",
]  # fmt: skip


def test_what_no_checkpoint_covers_and_what_is_no_path_is_not_there(auditor: Caller) -> None:
    for path in NO_TILES:
        assert auditor.get(f"/log/tile/{path}").status_code == 404, path


def test_an_entry_is_proved_to_be_in_the_log(auditor: Caller) -> None:
    for number in (0, 299, 300, 599):
        found = auditor.get(f"/log/proof/inclusion/bulk-default-{number}").json["data"]
        assert (found["leaf_index"], found["tree_size"]) == (number, SIZES[-1])
        proof, root = [b64decode(step) for step in found["proof"]], b64decode(found["root_hash"])
        assert aics_tlog.verify_leaf_inclusion(found["entry_hash"].encode(), number, SIZES[-1], proof, root)
        assert b64decode(found["leaf_hash"]) == aics_tlog.leaf_hash(found["entry_hash"].encode())
        assert found["root_hash"] in found["checkpoint"]


def test_an_entry_that_is_not_signed_yet_and_one_that_is_not_there_are_told_apart(auditor: Caller) -> None:
    newer, gone = (auditor.get(f"/log/proof/inclusion/{name}") for name in ("bulk-default-604", "nobody"))
    assert (newer.status_code, newer.json["error"]["code"]) == (409, "not_signed_yet")
    assert (gone.status_code, gone.json["error"]["code"]) == (404, "not_found")


def test_the_log_is_proved_to_have_only_grown(auditor: Caller) -> None:
    for old, new in ((0, 600), (1, 600), (300, 600), (300, 512), (600, 600), (257, 599)):
        found = auditor.get("/log/proof/consistency", from_=old, to=new).json["data"]
        proof = [b64decode(step) for step in found["proof"]]
        roots = (b64decode(found["from_root"]), b64decode(found["to_root"]))
        assert aics_tlog.verify_consistency(old, new, *roots, proof), (old, new)
    assert auditor.get("/log/proof/consistency", from_=300).json["data"]["to_size"] == SIZES[-1]


IMPOSSIBLE: list[dict[str, object]] = [
    {}, {"to": 5}, {"from": 5, "to": 4}, {"from": 0, "to": 601}, {"from": -1}, {"from": "x"}, {"from": 2**63}, {"from": 601},
]  # fmt: skip


def test_impossible_sizes_are_refused(auditor: Caller) -> None:
    for query in IMPOSSIBLE:
        answer = auditor.send("GET", "/log/proof/consistency", query_string=query)
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid_argument"), query


def test_a_log_that_was_rewritten_gives_no_proof(app: Flask, auditor: Caller) -> None:
    with app.app_context(), unguarded("dg_event_log") as session:
        session.execute(text("UPDATE dg_event_log SET entry_hash = 'sha256:x' WHERE event_id = 'bulk-default-590'"))
    for path in (
        "/log/proof/inclusion/bulk-default-590",
        "/log/proof/inclusion/bulk-default-3",
        "/log/proof/consistency?from=1",
    ):
        answer = auditor.get(path)
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "log_mismatch"), path


def test_a_tile_that_was_taken_out_gives_no_proof(app: Flask, auditor: Caller) -> None:
    with app.app_context(), unguarded("dg_log_tiles") as session:
        session.execute(text("DELETE FROM dg_log_tiles WHERE tile_index = 0"))
    for path in ("/log/proof/inclusion/bulk-default-3", "/log/proof/consistency?from=1"):
        answer = auditor.get(path)
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "log_mismatch"), path


def test_another_tenant_has_a_log_of_its_own(app: Flask, make_caller: MakeCaller) -> None:
    stranger = make_caller("auditor-of-zurich", (Permission.WORKFLOW_EXPORT,), "zurich")
    for path in ("/log/checkpoint", "/log/proof/consistency?from=0"):
        assert stranger.get(path).json["error"]["code"] == "not_signed_yet"
    for path in ("/log/tile/0/000", "/log/proof/inclusion/bulk-default-3"):
        assert stranger.get(path).status_code == 404
    with app.app_context():
        fill(2, "zurich")
        sign(app)
    assert stranger.get("/log/checkpoint").text.startswith(f"{ORIGIN}/zurich\n2\n")
    assert stranger.get("/log/tile/0/000").status_code == 404
    assert stranger.get("/log/tile/0/000.p/2").status_code == 200
