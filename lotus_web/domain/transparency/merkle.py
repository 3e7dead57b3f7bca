"""Merkle trees: hashes, proofs and their verification (RFC 6962 §2.1; verification as in RFC 9162 §2.1.3.2 and §2.1.4.2).

Proofs are made from any source of the hashes of complete subtrees: a list of leaves, or stored tiles (tiles.py). Verification
shares no code with the making of proofs, so that an error in the one is not repeated in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# Gives the hash of a complete subtree by its height and its place among the subtrees of that height: (3, 2) is over leaves 16 to 23.
Nodes = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry: SHA-256 over 0x00 and its bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 over 0x01 and the hashes of both sides."""
    return sha256(b"\x01" + left + right).digest()


def complete_levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return a row of hashes and above it the hashes of all pairs, pairs of pairs and so on, of complete pairs only."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        # As node_hash does; a proof needs some 750 of them, and calls would cost more than the hashes.
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in pairs])
    return levels


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """Return the source of hashes for a tree whose leaf hashes are all in memory."""
    levels = complete_levels(leaves)
    return lambda height, place: levels[height][place]


def root(size: int, nodes: Nodes) -> bytes:
    """Return the root of the tree over the first ``size`` leaves."""
    if size < 0:
        raise ValueError("a tree has no negative size")
    return _subtree(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the path that proves leaf ``index`` in the tree over the first ``size`` leaves; raises ValueError if it is not in it."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that the tree of ``old_size`` leaves is the beginning of that of ``new_size``; empty from size 0 or to the same.

    Raises ValueError for sizes that are not in this order.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError("the older tree is not the larger one")
    path: list[bytes] = []
    start, end, is_whole = 0, new_size, True
    while 0 < old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start, is_whole = middle, False
    if old_size and not is_whole:
        path.append(_subtree(start, end, nodes))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Return whether a proof shows that the leaf of this hash has this place in the tree with this root."""
    if not 0 <= index < size or not _are_hashes(leaf, root_hash, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root_hash


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that the tree with the old root is the beginning of the tree with the new one."""
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT and (new_size > 0 or new_root == EMPTY_ROOT)
    if old_size == new_size:
        return not proof and old_root == new_root
    if not proof:
        return False
    steps = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _are_hashes(*found: bytes) -> bool:
    return all(len(one) == HASH_SIZE for one in found)


def _split(count: int) -> int:
    """Return the largest power of two that is smaller than ``count``, which is at least 2."""
    return int(1 << (count - 1).bit_length() - 1)


def _subtree(start: int, end: int, nodes: Nodes) -> bytes:
    """Return the hash over leaves ``start`` to ``end``, the end not included; ``start`` is a multiple of the left side's size."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return nodes(height, start >> height)
    middle = start + _split(count)
    return node_hash(_subtree(start, middle, nodes), _subtree(middle, end, nodes))
