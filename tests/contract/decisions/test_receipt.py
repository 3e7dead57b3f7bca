"""A receipt and an archive prove a decision to somebody who has neither this project nor a network, and no byte of them can change."""

from __future__ import annotations

import argparse
import ast
import copy
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from lotus_web.domain.transparency.notes import Signature, SignatureType, VerifierKey, cosigned_message
from lotus_web.domain.transparency.witnesses import WitnessAddress
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.queries.transparency.proofs import newest_checkpoint
from lotus_web.services.transparency.cosignatures import Unsigned, store_cosignature
from lotus_web.store.ed25519 import SigningKey
from lotus_web.store.session import db, transaction
from lotus_web.wire import lotus_verify
from lotus_web.wire.lotus_verify import Refused, content_hash
from tests.conftest import MakeApp
from tests.contract.callers import REVIEWER, Caller, review_request
from tests.contract.conftest import MakeCaller
from tests.support.alone import verify_alone
from tests.support.logs import fill, log_settings, sign

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@dataclass
class World:
    """An approved run, signed and witnessed; ``approved`` and ``changes`` are ids of its decisions."""

    app: Flask
    caller: Caller
    workflow_id: str
    approved: str
    changes: str
    key: str
    witness: str

    def file(self, path: str) -> bytes:
        answer = self.caller.get(path)
        assert answer.status_code == 200, answer.text
        return answer.data

    @property
    def receipt(self) -> bytes:
        return self.file(f"/decisions/{self.approved}/receipt")

    @property
    def archive(self) -> bytes:
        return self.file(f"/admin/workflows/{self.workflow_id}/archive")

    @property
    def given(self) -> argparse.Namespace:
        return argparse.Namespace(key=[self.key], witness=[self.witness])

    def verified(self, data: bytes) -> list[str]:
        return lotus_verify.verify(data, self.given)


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """An app whose log is signed."""
    return make_app(**log_settings(tmp_path))


@pytest.fixture
def world(app: Flask, make_caller: MakeCaller) -> World:
    """What every test here verifies; the last checkpoint does not cover the last entry."""
    caller = make_caller(REVIEWER)
    run = _run_of(make_caller, "corr-receipt")
    changes, approved = (_decide(caller, run, action) for action in ("REQUEST_CHANGES", "APPROVE"))
    workflow_id = f"corr-receipt:exception:{run}"
    with app.app_context():
        fill(300)
        sign(app)
        witness = _cosign()
        fill(1)
        key = str(log_keys(db.session(), app.extensions["lotus_settings"], "default")[0])
    return World(app, caller, workflow_id, approved, changes, key, witness)


def _run_of(make_caller: MakeCaller, correlation: str) -> str:
    found: str = make_caller().run(review_request(), correlation=correlation)["rebalance_run_id"]
    return found


def _decide(caller: Caller, run: str, action: str) -> str:
    answer = caller.decide(run, action, comment="Within the mandate.")
    assert answer.status_code == 200, answer.text
    found: str = answer.json["latest_decision"]["decision_id"]
    return found


def _cosign() -> str:
    """Sign the last checkpoint as a witness does; return its key."""
    own = SigningKey(Ed25519PrivateKey.generate())
    key = VerifierKey("audit.example/w", own.public, SignatureType.COSIGNATURE)
    row = newest_checkpoint(db.session(), "default")
    text, at = row.note.partition("\n\n")[0] + "\n", 1_790_000_000
    signed = at.to_bytes(8, "big") + own.sign(cosigned_message(text, at))
    unsigned = Unsigned("default", row.tree_size, row.note, 0)
    with transaction() as session:
        address = WitnessAddress("http://audit.example", key)
        store_cosignature(session, address, unsigned, Signature(key.name, key.key_id, signed))
    return str(key)


def test_a_receipt_is_proved_without_the_project_and_the_network(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "auditor"
    folder.mkdir()
    for name, data in (("receipt.json", world.receipt), ("export.zip", world.archive)):
        (folder / name).write_bytes(data)
        keys = ("--key", world.key, "--witness", world.witness)
        done = verify_alone(folder, name, *keys)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert "1 witness(es) signed" in done.stdout and "NOT proved: " in done.stdout
        assert verify_alone(folder, name).returncode == 3
        strange = world.key.replace("+", "x+", 1)
        assert "another key" in verify_alone(folder, name, "--key", strange).stderr
        (folder / name).write_bytes(data.replace(b"Within the mandate.", b"Without the mandate"))
        done = verify_alone(folder, name, *keys)
        assert (done.returncode, done.stdout) == (1, "") and "REFUSED" in done.stderr
    assert verify_alone(folder, "nothing.json").returncode == 2


def test_a_decision_without_a_proof_has_no_receipt(world: World, make_caller: MakeCaller) -> None:
    receipt = json.loads(world.receipt)
    assert receipt["decision"]["approval_id"] == world.approved
    assert receipt["decision"]["approver"] == {"actor_type": "service_account", "actor_id": REVIEWER}
    assert (receipt["decision"]["presented"], receipt["evidence"]) == (False, None)
    assert world.file(f"/decisions/{receipt['entry']['event']['event_id']}/receipt") == world.receipt
    later = _run_of(make_caller, "later")
    codes = {
        _decide(world.caller, later, "APPROVE"): (409, "not_signed_yet"),
        world.changes: (409, "no_receipt"),
        "nothing": (404, "not_found"),
    }
    for decision_id, expected in codes.items():
        answer = world.caller.get(f"/decisions/{decision_id}/receipt")
        assert (answer.status_code, answer.json["error"]["code"]) == expected
    item = f"/admin/workflows/later:exception:{later}/archive"
    assert world.caller.get(item).json["error"]["code"] == "not_signed_yet"
    stranger = make_caller("stranger", tenant="zurich")
    assert stranger.get(f"/decisions/{world.approved}/receipt").status_code == 404


@pytest.mark.stores("sqlite")
def test_a_byte_changed_in_a_receipt_is_found(world: World) -> None:
    data = world.receipt
    assert world.verified(data)
    # One bit turns a letter or digit into the next, the other changes the case of a letter.
    flipped = (data[:at] + bytes([data[at] ^ (1, 32)[at % 2]]) + data[at + 1 :] for at in range(len(data)))
    for changed in (*flipped, data[:-1], data + b"\n"):
        with pytest.raises(Refused):
            world.verified(changed)


@pytest.mark.stores("sqlite")
def test_a_byte_changed_in_an_archive_is_found(world: World) -> None:
    data = world.archive
    assert world.verified(data)
    # The frame at both ends byte by byte, of all between, which is long and hashed or compared as a whole, every eleventh.
    frame = (*range(60), *range(data.index(b"PK\x01\x02"), len(data)))
    for at in (*frame, *range(60, len(data), 11)):
        with pytest.raises(Refused):
            world.verified(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def _rehash(receipt: dict[str, Any]) -> None:
    """Compute anew all that an attacker can."""
    entry = receipt["entry"]
    entry["payload_hash"] = content_hash(entry["event"]["payload"])
    envelope = {**entry["event"], "payload": entry["payload_hash"]}
    said = {"envelope": envelope, "recorded_at": entry["recorded_at"], "applied_defaults": entry["applied_defaults"]}
    link = {"content_hash": content_hash(said), "prev_hash": entry["prev_hash"]}
    entry["entry_hash"] = content_hash(link)
    receipt["decision"] = lotus_verify.decision_of(entry["event"])


def _reject(receipt: dict[str, Any]) -> None:
    receipt["entry"]["event"]["payload"]["decision"] = "rejected"
    _rehash(receipt)


def _claim(receipt: dict[str, Any]) -> None:
    receipt["statements"]["proves"].append("That the portfolio is sound.")


def _add_evidence(receipt: dict[str, Any]) -> None:
    receipt["evidence"] = {"findings": []}


def _drop_witness(receipt: dict[str, Any]) -> None:
    receipt["keys"]["witnesses"] = []
    receipt["checkpoint"] = receipt["checkpoint"].rpartition("\u2014")[0]


FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "does not lead to the root": _reject,
    "claims something else": _claim,
    "evidence is another": _add_evidence,
    "a witness that you gave has not signed": _drop_witness,
}


@pytest.mark.stores("sqlite")
def test_a_forged_receipt_with_all_hashes_computed_anew_is_refused(world: World) -> None:
    receipt = json.loads(world.receipt)
    for why, forge in FORGERIES.items():
        forged = copy.deepcopy(receipt)
        forge(forged)
        with pytest.raises(Refused, match=why):
            world.verified(lotus_verify.written(forged))


def test_the_verifier_is_python_3_9_and_of_the_standard_library() -> None:
    tree = ast.parse(Path(lotus_verify.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    outside = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert outside == {"cryptography"}
