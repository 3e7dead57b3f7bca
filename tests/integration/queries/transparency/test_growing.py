"""Reading a log that grows, and is signed, between any two statements of the reader: nothing is told to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from lotus_web.domain.events.envelope import GENESIS
from lotus_web.domain.transparency.notes import encode
from lotus_web.queries.transparency.proofs import consistency_proof, inclusion_proof, tile_bytes
from lotus_web.queries.transparency.state import checkpoint_state
from lotus_web.queries.transparency.verify import verify_tree
from lotus_web.services.transparency.checkpoints import find_growth
from lotus_web.store.session import db
from tests.conftest import MakeApp
from tests.support.between_queries import NEVER, working_after_query
from tests.support.logs import fill, log_settings, sign

# A tile and a part of the next, so that every step fills a tile and leaves the last one begun.
GROWTH = 300
# Reading the whole tree takes more statements the longer it is: the last ones of it are tried.
GAPS = 16


def state_is_intact(app: Flask) -> None:
    state = checkpoint_state(db.session(), app.extensions["lotus_settings"], "default")
    assert state is not None
    assert (state.word, state.wrong) == ("intact", None)


def tree_is_intact(app: Flask) -> None:
    report = verify_tree(db.session(), app.extensions["lotus_settings"], "default")
    assert report.wrong == []
    assert report.size >= GROWTH


def growth_continues(app: Flask) -> None:
    growth = find_growth(db.session(), "default")
    assert growth is not None
    assert growth.since >= GROWTH


def entry_is_included(app: Flask) -> None:
    proof = inclusion_proof(db.session(), "default", "bulk-default-299")
    assert (proof.leaf_index, f"\n{encode(proof.root)}\n" in proof.checkpoint) == (299, True)


def sizes_are_consistent(app: Flask) -> None:
    assert consistency_proof(db.session(), "default", 290).new >= GROWTH


def last_tile_is_there(app: Flask) -> None:
    tile, data = tile_bytes(db.session(), "default", "0/001.p/44")
    assert (tile.width, len(data)) == (44, 44 * 32)


def last_bundle_is_there(app: Flask) -> None:
    tile, data = tile_bytes(db.session(), "default", "entries/001.p/44")
    assert (tile.width, len(data)) == (44, 44 * (2 + len(GENESIS)))


def grow(app: Flask) -> None:
    fill(GROWTH)
    sign(app)


@pytest.mark.parametrize(
    "read",
    [
        state_is_intact,
        tree_is_intact,
        growth_continues,
        entry_is_included,
        sizes_are_consistent,
        last_tile_is_there,
        last_bundle_is_there,
    ],
)
def test_a_log_that_is_signed_between_any_two_statements_of_a_reader_is_intact(
    make_app: MakeApp, tmp_path: Path, read: Callable[[Flask], None]
) -> None:
    app = make_app(**log_settings(tmp_path))
    with app.app_context():
        fill(GROWTH)
        sign(app)
        for from_the_end in range(GAPS):
            fill(1)
            with working_after_query(app, NEVER, lambda: grow(app)) as all_of_it:
                read(app)
            db.session.rollback()
            if from_the_end == len(all_of_it):
                break
            with working_after_query(app, len(all_of_it) - 1 - from_the_end, lambda: grow(app)):
                read(app)
            db.session.rollback()
        assert from_the_end >= 2
        tree_is_intact(app)
        db.session.rollback()
