"""lotus-verify: verify a receipt or an export of Lotus Web with nothing of Lotus Web: no server, no database, no network.

    python3 lotus_verify.py receipt.json --key 'NAME+ID+KEY' [--witness 'NAME+ID+KEY' …]
    python3 lotus_verify.py export.zip   --key 'NAME+ID+KEY' [--witness 'NAME+ID+KEY' …]

Get the keys from somebody who does not depend on the file: the log's from whoever runs it, a witness's from the witness.
Exit: 0 proved, 1 refused (not what was recorded), 2 no such file, 3 proved only against the keys that the file itself names.
Needs Python 3.9, and "cryptography" or the command "openssl" 3. Standards: RFC 6962, RFC 9162, c2sp.org/signed-note.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

ENTRY_KEYS = {"event", "recorded_at", "applied_defaults", "payload_hash", "prev_hash", "entry_hash"}
RECEIPT_KEYS = {"receipt_version", "decision", "entry", "evidence", "inclusion", "checkpoint", "keys", "statements"}
LOG_KEYS = {"log_version", "entries", "head", "checkpoint", "keys", "files"}
LOG, WITNESS = 1, 4  # what a key signs: the checkpoints of its log, or those of others
NOT = "NOT proved: "
VERIFIER, MEMBERS = "lotus_verify.py", {"item.json", "log.json", "lotus_verify.py"}


class Refused(Exception):
    """The file is not what was recorded; the message says why."""


def need(holds: bool, why: str) -> None:
    """Refuse unless something holds."""
    if not holds:
        raise Refused(why)


# JSON and hashes: "sha256:" and 64 digits over the JSON with sorted keys, no spaces, ASCII only
def content_hash(value: Any) -> str:
    """Return the hash of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def written(document: Any) -> bytes:
    """Return the one way in which a document is written to a file, so that no byte of the file can be another."""
    return (json.dumps(document, sort_keys=True, indent=1) + "\n").encode("ascii")


def read(data: bytes, named: str) -> Any:
    """Return the document of a file."""
    document = json.loads(data.decode("ascii"))
    need(written(document) == data, f"{named} is not written as it was: a byte was changed")
    return document


# An entry of the log: what happened, when it was recorded, and the hash of the entry before it
def check_entry(entry: dict[str, Any]) -> None:
    """Refuse an entry whose hash is not over what it says."""
    need(set(entry) - {"posted_by"} == ENTRY_KEYS, "an entry says more or less than was hashed")
    need(content_hash(entry["event"]["payload"]) == entry["payload_hash"], "the entry's payload is not what was hashed")
    said = {
        "envelope": {**entry["event"], "payload": entry["payload_hash"]},
        "recorded_at": entry["recorded_at"],
        "applied_defaults": entry["applied_defaults"],
    }
    if "posted_by" in entry:
        said["posted_by"] = entry["posted_by"]
    link = {"content_hash": content_hash(said), "prev_hash": entry["prev_hash"]}
    need(content_hash(link) == entry["entry_hash"], "the entry is not what was hashed")


# The tree over all entries of the log (RFC 9162 §2.1.3.2)
def check_inclusion(entry_hash: str, proof: dict[str, Any], size: int, root: bytes) -> None:
    """Refuse unless the proof leads from an entry to the root of the tree."""
    need(set(proof) == {"leaf_index", "hashes"}, "the inclusion proof has other members than an index and hashes")
    index, last = proof["leaf_index"], size - 1
    need(type(index) is int and 0 <= index < size, "the entry's place is not in the tree")
    found = hashlib.sha256(b"\x00" + entry_hash.encode()).digest()
    for step in (unbase64(one) for one in proof["hashes"]):
        need(last > 0 and len(step) == 32, "the inclusion proof is too long")
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        index, last = index >> 1, last >> 1
    need(last == 0 and found == root, "the inclusion proof does not lead to the root of the checkpoint")


# The checkpoint: origin, size and root of the tree, signed by the log and by witnesses (c2sp.org/signed-note)
def unbase64(text: str) -> bytes:
    """Return the bytes of a base 64 text in its one spelling."""
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "a hash, key or signature is not base 64")
    return data


def parse_key(text: str, kind: int) -> tuple[int, str, bytes, bytes]:
    """Return kind, name, id and bytes of a public key, written name+id+key."""
    name, _, rest = text.partition("+")
    key_id, _, material = rest.partition("+")
    data = unbase64(material)
    need(len(data) == 33 and data[0] == kind, f"{text} is not a key of this kind")
    right = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    need(key_id == right.hex(), f"the id of the key of {name} is not that of its bytes")
    return kind, name, right, data[1:]


def check_checkpoint(note: str, log_key: str, witness_keys: list[str]) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint; refuse unless these keys signed it, each once, and nobody else."""
    text, gap, lines = note.rpartition("\n\n")
    need(bool(gap) and lines.endswith("\n"), "the checkpoint has no signatures")
    text, rows = text + "\n", lines[:-1].split("\n")
    keys = [parse_key(log_key, LOG), *(parse_key(one, WITNESS) for one in witness_keys)]
    need(len(rows) == len(keys), "the checkpoint has other signatures than those of the keys of this file")
    for row, (kind, name, key_id, public) in zip(rows, keys):  # noqa: B905 (strict is younger than Python 3.9)
        dash, _, encoded = row.rpartition(" ")
        signature = unbase64(encoded)
        need(dash == "\u2014 " + name and signature[:4] == key_id, f"the checkpoint has no signature of {name}")
        signature, message = signature[4:], text.encode()
        if kind == WITNESS:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = b"cosignature/v1\ntime %d\n%s" % (at, message)
        need(len(signature) == 64 and is_signed(public, signature, message), f"the signature of {name} does not verify")
    parts = text.split("\n")
    need(len(parts) == 4 and parts[0] == keys[0][1], "the checkpoint is of another log than its key")
    return parts[0], int(parts[1]), unbase64(parts[2])


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether an Ed25519 signature is by a key, by the package "cryptography" or else by the command "openssl"."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return _openssl_verifies(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _openssl_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    with tempfile.TemporaryDirectory() as name:
        encoded = bytes.fromhex("302a300506032b6570032100") + public
        for file, data in (("key", encoded), ("signature", signature), ("message", message)):
            Path(name, file).write_bytes(data)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature"
        done = subprocess.run(command.split(), cwd=name, capture_output=True, check=False)
    return done.returncode == 0


def decision_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return the decision that an entry records, in short, in the words of the log; the receipt must say the same."""
    payload, said = event["payload"], event["payload"].get("evidence") or {}
    return {
        **{name: payload.get(name) for name in ("approval_id", "decision", "subject", "approver", "reason")},
        **{name: said.get(name) for name in ("reason_code", "surface", "presented", "evidence_digest", "signed_in")},
        "recorded_by": event["actor"],
        "decided_at": event["occurred_at"],
    }


def statements(decision: dict[str, Any], has_document: bool, witnesses: int) -> dict[str, list[str]]:
    """Return in words what a receipt proves and what it does not."""
    proves = [
        "The log recorded this decision, in these words, as the decision of this account.",
        "The entry is in the tree that the log signed; nobody can change or remove it without another root.",
    ]
    fails = [
        "That the account was used by the person it belongs to, beyond what signed_in says.",
        "That the clock of the deployment was right; a witness says only when it saw the checkpoint.",
    ]
    (proves if witnesses else fails).append(f"Everybody sees the same log: {witnesses} witness(es) signed this root.")
    if decision["presented"] and has_document:
        proves.append("The evidence in this file is what the page or program that decided had been given.")
    elif decision["presented"]:
        proves.append("The entry says that evidence with this digest had been given to whoever decided.")
        fails.append("What that evidence said: the document is not in this file, for instance since it was purged.")
    else:
        fails.append("What was shown to whoever decided: the decision was recorded without evidence.")
    return {"proves": proves, "does_not_prove": fails}


def check_signed(file: dict[str, Any], given: argparse.Namespace) -> tuple[str, int, bytes, int]:
    """Return origin, size, root and witnesses of a file's checkpoint; refuse if its keys are not those that were given."""
    keys = file["keys"]
    need(set(keys) == {"log", "witnesses"}, "the file names no keys")
    need(not given.key or keys["log"] in given.key, "the file names another key of the log than the one you gave")
    missing = [one for one in given.witness if one not in keys["witnesses"]]
    need(not missing, f"a witness that you gave has not signed: {', '.join(missing)}")
    return (*check_checkpoint(file["checkpoint"], keys["log"], keys["witnesses"]), len(keys["witnesses"]))


def check_proved(entry: dict[str, Any], inclusion: dict[str, Any], origin: str, size: int, root: bytes) -> None:
    """Refuse an entry that is not in the tree of a checkpoint of its tenant's log."""
    check_entry(entry)
    check_inclusion(entry["entry_hash"], inclusion, size, root)
    need(origin.endswith("/" + quote(entry["event"]["tenant_id"], safe="")), "an entry is of another tenant's log")


def verify_receipt(data: bytes, given: argparse.Namespace) -> list[str]:
    """Return what a receipt proves, in sentences; raises Refused."""
    receipt = read(data, "the receipt")
    need(set(receipt) == RECEIPT_KEYS and receipt["receipt_version"] == 1, "it is not a receipt of version 1")
    origin, size, root, witnesses = check_signed(receipt, given)
    event, decision, document = receipt["entry"]["event"], receipt["decision"], receipt["evidence"]
    check_proved(receipt["entry"], receipt["inclusion"], origin, size, root)
    need(decision == decision_of(event), "the decision is not the one that the entry records")
    need(document is None or content_hash(document) == decision["evidence_digest"], "the evidence is another one")
    said = statements(decision, document is not None, witnesses)
    need(receipt["statements"] == said, "the receipt claims something else than it proves")
    who, what = (decision["approver"] or {}).get("actor_id"), (decision["subject"] or {}).get("subject_id")
    head = f"{origin}: {decision['decision']} by {who} on {what} at {decision['decided_at']}"
    return [head, *said["proves"], *(NOT + one for one in said["does_not_prove"])]


def archive(members: dict[str, bytes]) -> bytes:
    """Return files as a zip in the one way in which an export is written."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(members):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o644 << 16
            file.writestr(info, members[name])
    return whole.getvalue()


def verify_export(data: bytes, given: argparse.Namespace) -> list[str]:
    """Return what an export proves, in sentences; raises Refused."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    need(archive(members) == data, "the archive is not written as it was: a byte was changed")
    need(set(members) >= MEMBERS, "a file of the archive is missing")
    need(members[VERIFIER] == Path(__file__).read_bytes(), "the verifier in the archive is not the one that runs")
    log = read(members["log.json"], "log.json")
    need(set(log) == LOG_KEYS and log["log_version"] == 1, "it is not an export of version 1")
    origin, size, root, witnesses = check_signed(log, given)
    for one in log["entries"]:
        need(set(one) == {"entry", "inclusion"}, "an entry of the archive has other members")
        check_proved(one["entry"], one["inclusion"], origin, size, root)
    check_inclusion((head := log["head"])["entry_hash"], head["inclusion"], size, root)
    need(set(head) == {"entry_hash", "inclusion"} and head["inclusion"]["leaf_index"] == size - 1, "it is not the head")
    sums = {name: hashlib.sha256(members[name]).hexdigest() for name in members if name != "log.json"}
    need(log["files"] == sums, "a file of the archive is not the one that was exported")
    events = [one["entry"]["event"] for one in log["entries"]]
    digests = {decision_of(one)["evidence_digest"] for one in events if one["event_type"] == "ApprovalRecorded"}
    documents = sorted(set(members) - MEMBERS)
    for name in documents:
        need(content_hash(read(members[name], name)) in digests, f"{name} is the evidence of no decision here")
    return [
        f"{origin}: {len(log['entries'])} entries of {size}, {len(documents)} evidence document(s)",
        f"The entries and the head are in the tree that the log and {witnesses} witness(es) signed.",
        NOT + "That item.json is true where it says more than the entries: it has a checksum and no signature.",
    ]


def verify(data: bytes, given: argparse.Namespace) -> list[str]:
    """Return what a file proves, in sentences; raises Refused for any that is not what was recorded."""
    try:
        return verify_export(data, given) if data[:2] == b"PK" else verify_receipt(data, given)
    except (Refused, FileNotFoundError):  # the latter where there is neither "cryptography" nor "openssl"
        raise
    except Exception as problem:
        raise Refused(f"it is not made like a receipt or an export ({type(problem).__name__})") from None


def main(arguments: list[str]) -> int:
    """Verify a file and say what it proves."""
    parser = argparse.ArgumentParser(prog="lotus-verify", description="Verify a receipt or an export of Lotus Web.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", default=[], help="the key of the log, name+id+key")
    parser.add_argument("--witness", action="append", default=[], help="the key of a witness that must have signed")
    given = parser.parse_args(arguments)
    try:
        found = verify(given.file.read_bytes(), given)
    except OSError as problem:
        print(f"cannot be verified here: {problem}", file=sys.stderr)
        return 2
    except Refused as why:
        print(f"REFUSED: {why}", file=sys.stderr)
        return 1
    print(*found, sep="\n")
    if given.key:
        return 0
    print("WARNING: no --key was given. The file agrees with itself; anybody can make one that does.", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
