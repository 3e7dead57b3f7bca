"""Tiles: their paths in the one spelling, the tiles of a tree of any size, and proofs out of tiles alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.tiles import (
    ENTRY_MAX_BYTES,
    SIZE_MAX,
    WIDTH,
    TilePath,
    entry_bundle,
    index_path,
    nodes_from_tiles,
    pack_hashes,
    parse_entry_bundle,
    parse_tile_path,
    tile_root,
    tiles_of,
    unpack_hashes,
    width_at,
)
from tests.tools.third_party_tlog import aics_tlog, tiles

SIZE = 70_000
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(SIZE)]
TREE = merkle.complete_levels(LEAVES)


def read(level: int, index: int) -> list[bytes]:
    return TREE[8 * level][index * WIDTH : (index + 1) * WIDTH]


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (0, "000"),
        (7, "007"),
        (999, "999"),
        (1000, "x001/000"),
        (1234067, "x001/x234/067"),
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_an_index_is_written_in_elements_of_three_digits(index: int, path: str) -> None:
    assert index_path(index) == path == tiles.tile_index_path(index)


@given(
    st.one_of(st.none(), st.integers(0, 63)), st.integers(0, SIZE_MAX), st.one_of(st.integers(1, 255), st.just(WIDTH))
)
def test_a_path_leads_back_to_its_tile_and_is_read_elsewhere_too(level: int | None, index: int, width: int) -> None:
    tile = TilePath(level, index, width)
    assert parse_tile_path(str(tile)) == tile
    partial = None if width == WIDTH else width
    if level is None:
        assert tiles.entry_bundle_path(index, partial) == f"tile/{tile}"
    else:
        assert tiles.tile_path(level, index, partial) == f"tile/{tile}"


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0/", "0/1", "0/01", "0/0001", "0/x001", "0/x000/001", "0/1000", "00/001", "64/001", "-1/001", "0/001.p/0",
        "0/001.p/256", "0/001.p/01", "0/001.p/", "0/001/", "/0/001", "0/001.p/1/", "entries", "Entries/001", "entries/x001/x000",
        "0/٠٠١", "٠/001", "0/001\n", "0/" + "x999/" * 50 + "999", "../0/001", "0/x001//001", "0/001.P/3",
    ],
)  # fmt: skip
def test_any_other_spelling_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="not the path of a tile"):
        parse_tile_path(text)


@given(st.text(max_size=30))
def test_no_text_is_read_as_a_tile_but_its_own_path(text: str) -> None:
    try:
        tile = parse_tile_path(text)
    except ValueError:
        return
    assert str(tile) == text


def test_the_tiles_of_the_example_in_the_standard() -> None:
    found = list(tiles_of(70_000))
    assert [tile for tile in found if tile.width < WIDTH] == [
        TilePath(0, 273, 112), TilePath(1, 1, 17), TilePath(2, 0, 1),
    ]  # fmt: skip
    assert sum(tile.level == 0 for tile in found) == 274
    assert list(tiles_of(256)) == [TilePath(0, 0), TilePath(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000), st.integers(0, 3), st.integers(0, 900))
def test_a_tree_has_a_tile_as_wide_as_its_path_says(size: int, level: int, index: int) -> None:
    width = width_at(level, index, size)
    assert (width > 0) == any((tile.level, tile.index) == (level, index) for tile in tiles_of(size))
    if width:
        assert TilePath(level, index, width).end <= size
        assert width == WIDTH or TilePath(level, index, width + 1).end > size


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537, SIZE])
def test_roots_and_proofs_come_out_of_tiles_alone(size: int) -> None:
    asked: list[tuple[int, int]] = []

    def noted(level: int, index: int) -> list[bytes]:
        asked.append((level, index))
        return read(level, index)[: width_at(level, index, size)]

    nodes, plain = nodes_from_tiles(noted), merkle.nodes_of(LEAVES[:size])
    root = merkle.root(size, nodes)
    assert root == merkle.root(size, plain)
    for index in {0, size // 2, size - 1}:
        proof = merkle.inclusion_proof(index, size, nodes)
        assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
        older = merkle.consistency_proof(index, size, nodes)
        assert merkle.verify_consistency(index, size, merkle.root(index, plain), root, older)
    assert len(asked) == len(set(asked)) < 15


def test_another_implementation_reads_our_tiles() -> None:
    size = 70_000
    stored = {f"tile/{tile}": pack_hashes(read(tile.level or 0, tile.index)[: tile.width]) for tile in tiles_of(size)}
    reader = aics_tlog.MemoryTileReader(stored)
    root = merkle.root(size, merkle.nodes_of(LEAVES))
    assert aics_tlog.tree_root_from_tiles(reader, size) == root
    proof = aics_tlog.inclusion_proof_from_tiles(reader, 69_990, size)
    assert merkle.verify_inclusion(LEAVES[69_990], 69_990, size, proof, root)
    assert aics_tlog.consistency_proof_from_tiles(reader, 300, size) == merkle.consistency_proof(
        300, size, nodes_from_tiles(read)
    )


def test_only_a_full_tile_stands_in_the_level_above() -> None:
    assert tile_root(read(0, 3)) == read(1, 0)[3]
    with pytest.raises(ValueError, match="full tile"):
        tile_root(read(0, 273))


def test_hashes_are_packed_without_gaps() -> None:
    assert unpack_hashes(pack_hashes(LEAVES[:5])) == LEAVES[:5]
    for wrong in (b"x", b"x" * 33, bytes(32 * 257)):
        with pytest.raises(ValueError, match="row of hashes"):
            unpack_hashes(wrong)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_its_entries_back_here_and_elsewhere(entries: list[bytes]) -> None:
    bundle = entry_bundle(entries)
    assert parse_entry_bundle(bundle) == entries == tiles.parse_entry_bundle(bundle)


def test_a_bundle_that_ends_too_early_and_an_entry_that_is_too_long_are_refused() -> None:
    bundle = entry_bundle([b"one", b"three"])
    for end in set(range(1, len(bundle))) - {5}:
        with pytest.raises(ValueError, match="in the middle"):
            parse_entry_bundle(bundle[:end])
    assert len(entry_bundle([b"x" * ENTRY_MAX_BYTES])) == ENTRY_MAX_BYTES + 2
    with pytest.raises(ValueError, match="65,535"):
        entry_bundle([b"x" * (ENTRY_MAX_BYTES + 1)])
