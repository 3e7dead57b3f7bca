"""Merkle trees: every proof of every tree verifies, none does after a change of a bit, and the definitions of RFC 6962 hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from lotus_web.domain.transparency import merkle
from tests.tools.third_party_tlog import aics_tlog

LARGEST = 300
DATA = [b"entry %d" % number for number in range(LARGEST)]
LEAVES = [merkle.leaf_hash(data) for data in DATA]
NODES = merkle.nodes_of(LEAVES)
ROOTS = [merkle.root(size, NODES) for size in range(LARGEST + 1)]
THEIRS = aics_tlog.MerkleTree(DATA, level_cache_sizes=LARGEST + 1)
# Around each power of two, where the shape of a tree changes.
SIZES = sorted({near for power in range(9) for near in (2**power - 1, 2**power, 2**power + 1)} - {0} | {100, LARGEST})


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def changes(hashes: list[bytes], *, every_bit: bool = False) -> Iterator[list[bytes]]:
    """Yield the hashes with a bit changed in each, one less, one more, and two that changed places."""
    for place in range(len(hashes)):
        for bit in range(256) if every_bit else (7 * place % 256,):
            yield [*hashes[:place], flipped(hashes[place], bit), *hashes[place + 1 :]]
        yield [*hashes[:place], *hashes[place + 1 :]]
        yield [*hashes[:place], hashes[place][:31], *hashes[place + 1 :]]
    yield [*hashes, hashes[-1] if hashes else merkle.EMPTY_ROOT]
    if len(hashes) > 1:
        yield [hashes[1], hashes[0], *hashes[2:]]


def test_hashes_are_those_of_the_standard() -> None:
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    # The roots of the test tree of RFC 6962's reference implementation, with 2, 3 and 8 leaves.
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    nodes = merkle.nodes_of([merkle.leaf_hash(bytes.fromhex(data)) for data in inputs])
    assert [merkle.root(size, nodes).hex() for size in (2, 3, 8)] == [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]


def test_roots_of_every_size_are_those_of_another_implementation() -> None:
    assert [THEIRS.root(size) for size in range(LARGEST + 1)] == ROOTS
    assert len(set(ROOTS)) == LARGEST + 1


def test_every_leaf_of_every_tree_is_proved_here_and_elsewhere() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, NODES)
            assert merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size]), (index, size)
            if index in (0, size // 3, size - 1):
                assert proof == THEIRS.inclusion_proof(index, size)
                assert aics_tlog.verify_leaf_inclusion(DATA[index], index, size, proof, ROOTS[size])


def test_every_tree_is_proved_to_be_the_beginning_of_every_larger_one() -> None:
    for old, new in product(range(LARGEST + 1), repeat=2):
        if old > new:
            continue
        proof = merkle.consistency_proof(old, new, NODES)
        assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof), (old, new)
        if new in SIZES and old in SIZES:
            assert proof == THEIRS.consistency_proof(old, new)
            assert aics_tlog.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_no_changed_proof_of_a_leaf_verifies() -> None:
    for size in SIZES:
        for index in {0, size // 3, size // 2, size - 1}:
            proof, leaf, root = merkle.inclusion_proof(index, size, NODES), LEAVES[index], ROOTS[size]
            wrong = [merkle.verify_inclusion(leaf, index, size, changed, root) for changed in changes(proof)]
            wrong += [merkle.verify_inclusion(flipped(leaf, bit), index, size, proof, root) for bit in (0, 255)]
            wrong += [merkle.verify_inclusion(leaf, index, size, proof, flipped(root, bit)) for bit in (0, 255)]
            others = {index - 1, index + 1, size, -1} - {index}
            wrong += [merkle.verify_inclusion(leaf, other, size, proof, root) for other in others]
            assert not any(wrong), (index, size)


def test_no_changed_proof_that_a_tree_continues_another_verifies() -> None:
    for old, new in product(SIZES, repeat=2):
        if old >= new:
            continue
        proof, roots = merkle.consistency_proof(old, new, NODES), (ROOTS[old], ROOTS[new])
        wrong = [merkle.verify_consistency(old, new, *roots, changed) for changed in changes(proof)]
        wrong += [merkle.verify_consistency(old, new, flipped(roots[0], bit), roots[1], proof) for bit in (0, 255)]
        wrong += [merkle.verify_consistency(old, new, roots[0], flipped(roots[1], bit), proof) for bit in (0, 255)]
        wrong += [
            merkle.verify_consistency(old + 1, new, *roots, proof),
            merkle.verify_consistency(new, old, *roots, proof),
        ]
        assert not any(wrong), (old, new)


def test_no_bit_at_all_can_be_changed() -> None:
    proof = merkle.inclusion_proof(171, LARGEST, NODES)
    for changed in changes(proof, every_bit=True):
        assert not merkle.verify_inclusion(LEAVES[171], 171, LARGEST, changed, ROOTS[LARGEST])
    proof = merkle.consistency_proof(171, LARGEST, NODES)
    for changed in changes(proof, every_bit=True):
        assert not merkle.verify_consistency(171, LARGEST, ROOTS[171], ROOTS[LARGEST], changed)


def test_a_tree_that_was_rewritten_is_not_continued() -> None:
    for place in (0, 100, 170):
        rewritten = merkle.nodes_of([*LEAVES[:place], merkle.leaf_hash(b"forged"), *LEAVES[place + 1 :]])
        proof = merkle.consistency_proof(171, LARGEST, rewritten)
        forged = merkle.root(LARGEST, rewritten)
        assert not merkle.verify_consistency(171, LARGEST, ROOTS[171], forged, proof)


def test_the_empty_tree_is_continued_by_any_but_only_with_its_own_root() -> None:
    assert merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    assert merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, ROOTS[5], [])
    assert not merkle.verify_consistency(0, 5, ROOTS[1], ROOTS[5], [])
    assert not merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, ROOTS[1], [])
    assert not merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, ROOTS[5], [ROOTS[1]])
    assert not merkle.verify_inclusion(LEAVES[0], 0, 0, [], merkle.EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_what_is_not_in_a_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        merkle.inclusion_proof(index, size, NODES)


def test_impossible_sizes_have_no_proof_and_no_root() -> None:
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="the older tree"):
            merkle.consistency_proof(old, new, NODES)
    with pytest.raises(ValueError, match="negative"):
        merkle.root(-1, NODES)
