"""What the verifier refuses of a signature, each by itself: a wrong answer of an authenticator, or another word of the decision."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lotus_web.wire.lotus_verify import Refused, check_enrolled, check_signature, content_hash, unbase64url
from tests.support.authenticators import EDDSA, ES256, RS256, UP, UV, Authenticator, b64

SAID = {"tenant_id": "default", "workflow_id": "wf-1", "action": "approve", "text": "Fine.", "person": "nora"}


def signed(algorithm: int = ES256, **wrong: Any) -> dict[str, Any]:
    """Return the signature of an entry, made by an authenticator that does something wrong."""
    key, document = Authenticator(algorithm), dict(SAID, nonce="n-1")
    challenge = b64(bytes.fromhex(content_hash(document)[7:]))
    response = json.loads(key.get({"challenge": challenge, "rpId": "localhost"}, **wrong))["response"]
    public = key.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "method": "passkey",
        "document": document,
        "passkey_id": "psk_1",
        "public_key": base64.b64encode(public).decode(),
        "enrolled": {"event_id": "fct_1", "entry_hash": "sha256:0"},
        "rp_id": "localhost",
        "origin": "http://localhost",
        "client_data": response["clientDataJSON"],
        "authenticator_data": response["authenticatorData"],
        "signature": response["signature"],
    }


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_right_signature_passes_and_every_byte_of_it_counts(algorithm: int) -> None:
    right = signed(algorithm)
    check_signature(right, SAID)
    for name in ("client_data", "authenticator_data", "signature"):
        data = unbase64url(right[name])
        for place in (0, len(data) // 2, len(data) - 1):
            other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            with pytest.raises((Refused, ValueError)):
                check_signature(right | {name: b64(other)}, SAID)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nobody verified": ({"flags": UP}, "had not verified"),
    "nobody present": ({"flags": UV}, "had not verified"),
    "another origin": ({"origin": "http://evil.example"}, "another site"),
    "another site": ({"domain": "evil.example"}, "another site"),
    "another question": ({"kind": "webauthn.create"}, "another document"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        check_signature(signed(**wrong), SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_signature_over_other_words_is_refused(name: str) -> None:
    with pytest.raises(Refused, match=f"another {name}"):
        check_signature(signed(), SAID | {name: "other"})


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another nonce": lambda one: one["document"].update(nonce="n-2"),
    "another site": lambda one: one.update(rp_id="host", origin="http://local.host"),
    "a name that ends like it": lambda one: one.update(rp_id="calhost"),
    "no kind": lambda one: one.update(method="pen"),
    "one member more": lambda one: one.update(more=1),
    "another key": lambda one: one.update(public_key=signed()["public_key"]),
    "a password that is more": lambda one: one.update(method="password"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_signature_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    found = signed()
    change(found)
    with pytest.raises(Refused):
        check_signature(found, SAID)


@pytest.mark.parametrize("name", ["passkey_id", "public_key", "rp_id", "name", "removed_at"])
def test_a_passkey_is_the_one_that_was_recorded_for_the_person(name: str) -> None:
    found = signed()
    recorded = {one: found[one] for one in ("passkey_id", "public_key", "rp_id")} | {"name": "nora", "removed_at": None}
    check_enrolled(found, "nora", recorded)
    with pytest.raises(Refused, match=f"another {name}"):
        check_enrolled(found, "nora", recorded | {name: "other"})
