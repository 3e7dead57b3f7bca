"""A witness signs what continues what it signed before, answers in the order of the standard, and keeps what proves a fork."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lotus_web.domain.transparency import merkle
from lotus_web.domain.transparency.checkpoints import AddCheckpoint, Checkpoint
from lotus_web.domain.transparency.notes import Note, VerifierKey
from lotus_web.services.transparency.checkpoints import Signer
from lotus_web.services.transparency.witness import SIZE_TYPE, Witness, WitnessAnswer
from lotus_web.store.ed25519 import SigningKey
from lotus_web.store.witness_files import WitnessFiles
from tests.tools.third_party_tlog import aics_tlog

ORIGIN, NAME, AT = "lotus.example/log/default", "audit.example/witness", 1_790_000_000
LOG, OTHER, OWN = (SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2, 3))
SIGNER = Signer(LOG, "lotus.example/log")
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(50)]
FORKED = [*LEAVES[:5], merkle.leaf_hash(b"forged"), *LEAVES[6:]]


def note(size: int, leaves: list[bytes] = LEAVES, origin: str = ORIGIN, signer: Signer = SIGNER) -> Note:
    return signer.sign(Checkpoint(origin, size, merkle.root(size, merkle.nodes_of(leaves))))


def asked(old: int, size: int, leaves: list[bytes] = LEAVES, **how: Note) -> bytes:
    proof = merkle.consistency_proof(min(old, size), size, merkle.nodes_of(leaves))
    return str(AddCheckpoint(old, tuple(proof), how.get("note") or note(size, leaves))).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return make(tmp_path)


def make(folder: Path) -> Witness:
    return Witness(NAME, OWN, [VerifierKey(ORIGIN, LOG.public)], WitnessFiles(folder / "state"))


def evidence(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in (folder / "state" / "evidence").rglob("*.txt"))


def test_its_signatures_are_those_of_the_standard(witness: Witness) -> None:
    for old, size in ((0, 7), (7, 7), (7, 20), (20, 50)):
        answer = witness.add_checkpoint(asked(old, size), AT)
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8"), answer
        cosigned = aics_tlog.parse_note(str(note(size)) + answer.text)
        log, own = (
            aics_tlog.parse_vkey(str(VerifierKey(ORIGIN, LOG.public))),
            aics_tlog.parse_vkey(str(witness.verifier)),
        )
        found = aics_tlog.verify_checkpoint(cosigned, log, [own], quorum=1, max_age_seconds=5, now=AT + 1)
        assert (found.ok, found.size) == (True, size), found.error


def test_it_answers_as_the_standard_says(witness: Witness, tmp_path: Path) -> None:
    assert witness.add_checkpoint(asked(0, 7), AT).status == 200
    stranger = note(9, origin="another.example/log")
    by_other = note(9, signer=Signer(OTHER, "lotus.example/log"))
    table = {
        "nonsense": (b"nonsense", 400),
        "an unknown log": (asked(7, 9, note=stranger), 404),
        "a signature of another key": (asked(7, 9, note=by_other), 403),
        "an old size that is too large": (asked(10, 9), 400),
        "an old size that is not the last one": (asked(3, 9), 409),
        "an old size of zero": (asked(0, 9), 409),
        "a proof too much": (str(AddCheckpoint(7, (LEAVES[0],), note(7))).encode(), 422),
        "no proof": (str(AddCheckpoint(7, (), note(9))).encode(), 422),
    }
    assert {name: witness.add_checkpoint(request, AT).status for name, (request, _) in table.items()} == {
        name: status for name, (_, status) in table.items()
    }
    assert witness.add_checkpoint(asked(3, 9), AT) == WitnessAnswer(409, "7\n", SIZE_TYPE)
    assert witness.add_checkpoint(asked(7, 9), AT).status == 200, "none of that has moved it"


def test_a_fork_is_refused_and_kept_whatever_its_size_also_by_its_successor(tmp_path: Path) -> None:
    first = make(tmp_path)
    for old, size in ((0, 7), (7, 20)):
        assert first.add_checkpoint(asked(old, size), AT).status == 200
    again = make(tmp_path)
    for witness in (first, again):
        assert witness.add_checkpoint(asked(20, 20, FORKED), AT).status == 409
        assert witness.add_checkpoint(asked(20, 30, FORKED), AT).status == 422
        assert witness.add_checkpoint(asked(7, 7, FORKED), AT).status == 409
        assert witness.add_checkpoint(asked(0, 12, FORKED), AT).status == 409
    assert evidence(tmp_path) == ["no-continuation.txt", "same-size.txt", "same-size.txt"]
    (kept,) = (tmp_path / "state" / "evidence").rglob("*no-continuation.txt")
    request, _, before = kept.read_bytes().partition(b"\nsigned before:\n")
    assert request == asked(20, 30, FORKED)
    assert before.decode().startswith(str(note(20)))
    assert again.add_checkpoint(asked(20, 21), AT).status == 200


def test_of_two_requests_at_once_none_puts_it_back(tmp_path: Path) -> None:
    one, other = make(tmp_path), make(tmp_path)
    assert one.add_checkpoint(asked(0, 7), AT).status == 200
    answers: list[int] = []

    def send(witness: Witness, size: int) -> None:
        answers.append(witness.add_checkpoint(asked(7, size), AT).status)

    threads = [threading.Thread(target=send, args=(one if size % 2 else other, size)) for size in range(8, 24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 15
    size = int(one.add_checkpoint(asked(0, 50), AT).text)
    assert one.add_checkpoint(asked(size, 50), AT).status == 200
