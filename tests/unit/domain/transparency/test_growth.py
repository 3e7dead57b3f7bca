"""The right edge of a growing tree gives the same roots and tiles as the whole tree, however it is grown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.growth import RightEdge
from lotus_web.domain.transparency.tiles import WIDTH, nodes_from_tiles, tiles_of, width_at

SIZE = 66_000
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(SIZE)]
TREE = merkle.complete_levels(LEAVES)
NODES = merkle.nodes_of(LEAVES)


def edge_of(size: int) -> RightEdge:
    """Return the edge as a store would give it: whole tiles left out."""
    full, rows, level = [], [], 0
    while size >> 8 * level or level == 0:
        count = size >> 8 * level
        full.append(count // WIDTH)
        rows.append(TREE[8 * level][count // WIDTH * WIDTH : count])
        level += 1
    return RightEdge(full, rows)


@given(st.integers(0, SIZE), st.lists(st.integers(0, 700), max_size=4))
def test_an_edge_gives_the_root_of_the_whole_tree_however_it_grew(size: int, steps: list[int]) -> None:
    edge = edge_of(size)
    assert (edge.size, edge.root()) == (size, merkle.root(size, NODES))
    for step in steps:
        after = min(size + step, SIZE)
        tiles = edge.add(LEAVES[size:after])
        old = {(tile.level, tile.index) for tile in tiles_of(size) if tile.width == WIDTH}
        new = {(tile.level, tile.index) for tile in tiles_of(after) if tile.width == WIDTH}
        assert [(tile.level, tile.index) for tile in tiles if (tile.level, tile.index) in old] == []
        assert {(tile.level, tile.index) for tile in tiles} == new - old
        for tile in tiles:
            assert list(tile.hashes) == TREE[8 * tile.level][tile.index * WIDTH : (tile.index + 1) * WIDTH]
        size = after
        assert (edge.size, edge.root()) == (size, merkle.root(size, NODES))


def test_a_tree_grown_from_nothing_fills_tiles_of_every_level_in_order() -> None:
    edge = RightEdge()
    tiles = edge.add(LEAVES)
    assert (edge.size, edge.root()) == (SIZE, merkle.root(SIZE, NODES))
    by_place = {(tile.level, tile.index): tile for tile in tiles}
    assert len(by_place) == len(tiles) == 257 + 1
    places = [(tile.level, tile.index) for tile in tiles]
    assert places.index((1, 0)) == places.index((0, 255)) + 1

    def read(level: int, index: int) -> list[bytes]:
        width = width_at(level, index, SIZE)
        if (level, index) in by_place:
            return list(by_place[level, index].hashes)
        return edge.rows[level][:width]

    assert merkle.root(SIZE, nodes_from_tiles(read)) == edge.root()


def test_an_empty_edge_is_the_empty_tree() -> None:
    edge = RightEdge()
    assert (edge.size, edge.root(), edge.add([])) == (0, merkle.EMPTY_ROOT, [])
