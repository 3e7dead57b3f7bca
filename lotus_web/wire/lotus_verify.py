"""lotus-verify: verify a receipt or an export of Lotus Web with nothing of Lotus Web: no server, no database, no network.

    python3 lotus_verify.py receipt.json --key 'NAME+ID+KEY' [--witness 'NAME+ID+KEY' …] [--passkey FINGERPRINT]
    python3 lotus_verify.py export.zip   --key 'NAME+ID+KEY' [--witness 'NAME+ID+KEY' …]

Get the keys from somebody who does not depend on the file: the log's from whoever runs it, a witness's from the witness.
Exit: 0 proved, 1 refused (not what was recorded), 2 no such file, 3 proved only against the keys that the file itself names.
Needs Python 3.9, and "cryptography" or the command "openssl" 3. Standards: RFC 6962, RFC 9162, c2sp.org/signed-note, WebAuthn.
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ENTRY_KEYS = {"event", "recorded_at", "applied_defaults", "payload_hash", "prev_hash", "entry_hash"}
RECEIPT_KEYS = {"receipt_version", "decision", "entry", "evidence", "inclusion", "checkpoint", "keys", "statements"}
# A receipt of version 2 is of a signed decision, with the entry that records the passkey.
KEYS_OF = {1: RECEIPT_KEYS, 2: RECEIPT_KEYS | {"enrolment"}}
ENROLMENT_KEYS = {"entry", "inclusion", "checkpoint", "keys"}
PASSKEY_KEYS = {
    "method", "document", "passkey_id", "public_key", "enrolled", "rp_id", "origin", "client_data", "authenticator_data", "signature",
}  # fmt: skip
LOG_KEYS = {"log_version", "entries", "head", "checkpoint", "keys", "files"}
ED25519 = "302a300506032b6570032100"  # how such a key begins in DER
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
    """Return whether an Ed25519 signature is by a key of 32 bytes."""
    return verifies(bytes.fromhex(ED25519) + public, signature, message)


def verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a signature is by a key in DER: Ed25519, or ECDSA or RSA (PKCS #1) with SHA-256.

    By the package "cryptography", or else by the command "openssl".
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        return _openssl_verifies(key, signature, message)
    public: Any = load_der_public_key(key)
    how: tuple[Any, ...] = ()
    if hasattr(public, "curve"):
        how = (ec.ECDSA(SHA256()),)
    elif not key.startswith(bytes.fromhex(ED25519)):
        how = (padding.PKCS1v15(), SHA256())
    try:
        public.verify(signature, message, *how)
    except InvalidSignature:
        return False
    return True


def _openssl_verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    with tempfile.TemporaryDirectory() as name:
        for file, data in (("key", key), ("signature", signature), ("message", message)):
            Path(name, file).write_bytes(data)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature"
        hashed = [] if key.startswith(bytes.fromhex(ED25519)) else ["-digest", "sha256"]
        done = subprocess.run(command.split() + hashed, cwd=name, capture_output=True, check=False)
    return done.returncode == 0


# A signed decision: a passkey signed the hash of the decision as its challenge (WebAuthn §7.2), or a password was typed again
def unbase64url(text: str) -> bytes:
    """Return the bytes of a base 64 text with the alphabet for URLs, without padding."""
    return unbase64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def signature_of(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return the signature of the decision that an entry records; None for one without."""
    found: dict[str, Any] | None = (event["payload"].get("evidence") or {}).get("signature")
    return found


def said_in(event: dict[str, Any]) -> dict[str, Any]:
    """Return what the signed document of a decision must say, by what its entry says."""
    payload, subject, said = event["payload"], event["payload"]["subject"], event["payload"]["evidence"]
    overrides = subject["subject_type"] == "override"
    return {
        "tenant_id": event["tenant_id"],
        "trace_id": event["trace_id"],
        "workflow_id" if overrides else "subject_id": subject["subject_id"],
        "action": "override" if overrides else {"approved": "approve", "rejected": "reject"}[payload["decision"]],
        "reason_code": said.get("reason_code"),
        "text": payload.get("reason"),
        "evidence_digest": said.get("evidence_digest"),
        "person": payload["approver"]["actor_id"],
    }


def check_signature(signature: dict[str, Any], said: dict[str, Any]) -> None:
    """Refuse a signature that is not over what its decision says."""
    document = signature["document"]
    for name, value in said.items():
        need(name in document and document[name] == value, f"what was signed says another {name} than the decision")
    if signature["method"] == "password":
        need(set(signature) == {"method", "document"}, "a password signs nothing more than a document")
        return
    need(signature["method"] == "passkey" and set(signature) == PASSKEY_KEYS, "the signature is of no known kind")
    client_data, data = unbase64url(signature["client_data"]), unbase64url(signature["authenticator_data"])
    client, challenge = json.loads(client_data), bytes.fromhex(content_hash(document)[7:])
    signs = client["type"] == "webauthn.get" and unbase64url(client["challenge"]) == challenge
    need(signs, "the passkey signed another document")
    host, domain = urlsplit(client["origin"]).hostname or "", signature["rp_id"]
    at_home = client["origin"] == signature["origin"] and ("." + host).endswith("." + domain)
    need(at_home and data[:32] == hashlib.sha256(domain.encode()).digest(), "the passkey signed for another site")
    need(data[32] & 5 == 5, "the passkey had not verified its person")
    message = data + hashlib.sha256(client_data).digest()
    right = verifies(unbase64(signature["public_key"]), unbase64url(signature["signature"]), message)
    need(right, "the signature of the passkey does not verify")


def check_enrolled(signature: dict[str, Any], person: str, passkey: Mapping[str, Any]) -> None:
    """Refuse a passkey that is not the one that was recorded for the person."""
    recorded = {name: signature[name] for name in ("passkey_id", "public_key", "rp_id")}
    recorded |= {"name": person, "removed_at": None}
    for name, value in recorded.items():
        need(name in passkey and passkey[name] == value, f"the passkey was recorded with another {name}")


def fingerprint(signature: dict[str, Any]) -> str:
    """Return the SHA-256 of a passkey, by which its person knows it."""
    return hashlib.sha256(unbase64(signature["public_key"])).hexdigest()


def decision_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return the decision that an entry records, in short, in the words of the log; the receipt must say the same."""
    payload, said = event["payload"], event["payload"].get("evidence") or {}
    signature = signature_of(event)
    return {
        **({} if signature is None else {"signed": signature["method"]}),
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
        {
            "passkey": "That the passkey is in the hands of this person: compare its fingerprint with what they say.",
            "password": "That the person typed the password: no file can prove that, and this deployment could say so falsely.",
        }.get(
            decision.get("signed", ""),
            "That the account was used by the person it belongs to, beyond what signed_in says.",
        ),
        "That the clock of the deployment was right; a witness says only when it saw the checkpoint.",
    ]
    if decision.get("signed") == "passkey":
        proves.append(
            "A passkey that was recorded for this person signed the decision in these words, on this evidence: nobody"
            " without the passkey can have made it, no administrator either."
        )
    elif decision.get("signed") == "password":
        proves.append("The entry says that the password of the person was typed again for this decision.")
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
    version = receipt["receipt_version"]
    need(version in KEYS_OF and set(receipt) == KEYS_OF[version], "it is not a receipt of version 1 or 2")
    origin, size, root, witnesses = check_signed(receipt, given)
    event, decision, document = receipt["entry"]["event"], receipt["decision"], receipt["evidence"]
    check_proved(receipt["entry"], receipt["inclusion"], origin, size, root)
    need(decision == decision_of(event), "the decision is not the one that the entry records")
    need(document is None or content_hash(document) == decision["evidence_digest"], "the evidence is another one")
    signature = signature_of(event)
    need((signature is not None) == (version == 2), "a receipt of version 2 is of a signed decision, and of no other")
    head = [] if signature is None else signed_by(receipt, signature, origin, given)
    said = statements(decision, document is not None, witnesses)
    need(receipt["statements"] == said, "the receipt claims something else than it proves")
    who, what = (decision["approver"] or {}).get("actor_id"), (decision["subject"] or {}).get("subject_id")
    first = f"{origin}: {decision['decision']} by {who} on {what} at {decision['decided_at']}"
    return [first, *head, *said["proves"], *(NOT + one for one in said["does_not_prove"])]


def signed_by(receipt: dict[str, Any], signature: dict[str, Any], origin: str, given: argparse.Namespace) -> list[str]:
    """Return with what the decision of a receipt was signed; refuse a signature that is not over it, or not by its person."""
    event, enrolment = receipt["entry"]["event"], receipt["enrolment"]
    check_signature(signature, said_in(event))
    passkeys = getattr(given, "passkey", [])
    if signature["method"] == "password":
        need(enrolment is None and not passkeys, "the decision was signed with a password and with no passkey")
        return ["Signed with the password, typed again."]
    need(set(enrolment) == ENROLMENT_KEYS, "the entry that records the passkey is not there")
    log, entry, keys = enrolment["keys"]["log"], enrolment["entry"], [receipt["keys"]["log"], *given.key]
    need(log.split("+")[2] in {one.split("+")[2] for one in keys}, "the passkey is in a log of another key")
    like = argparse.Namespace(key=[log], witness=given.witness)
    other, size, root, _ = check_signed(enrolment, like)
    check_proved(entry, enrolment["inclusion"], other, size, root)
    need(other.rpartition("/")[0] == origin.rpartition("/")[0], "the passkey is in the log of another deployment")
    recorded = {"event_id": entry["event"]["event_id"], "entry_hash": entry["entry_hash"]}
    need(signature["enrolled"] == recorded, "the decision names another entry of the passkey")
    kind = entry["event"]["event_type"], entry["event"]["trace_id"]
    need(kind == ("PasskeyRecorded", ""), "the entry records no passkey")
    check_enrolled(signature, said_in(event)["person"], entry["event"]["payload"])
    found = fingerprint(signature)
    need(not passkeys or found in passkeys, "the decision was signed with another passkey than the one you gave")
    return [f"Signed with the passkey {found}, recorded at {entry['recorded_at']}."]


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
    for one in events:
        if one["event_type"] == "ApprovalRecorded" and (signature := signature_of(one)):
            check_signature(signature, said_in(one))
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
    parser.add_argument("--passkey", action="append", default=[], help="the fingerprint of the person's passkey")
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
