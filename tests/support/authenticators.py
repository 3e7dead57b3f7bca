"""An authenticator in software, which answers as a browser would and, where a test asks for it, wrongly (WebAuthn level 2)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

ES256, EDDSA, RS256 = -7, -8, -257
ORIGIN, DOMAIN = "http://localhost", "localhost"
UP, UV, AT = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _new_key(algorithm: int) -> Any:
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Authenticator:
    """One key of one person at one site."""

    algorithm: int = ES256
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: str = ""
    counter: int = 0
    key: Any = None

    def __post_init__(self) -> None:
        self.key = _new_key(self.algorithm)

    def create(self, options: dict[str, Any], **wrong: Any) -> str:
        """Answer the question for a new passkey."""
        self.handle = options["user"]["id"]
        client = self._client("webauthn.create", options["challenge"], **wrong)
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose()
        data = self._data(wrong.get("domain", options["rp"]["id"]), wrong.get("flags", UP | UV | AT)) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": b64(client), "attestationObject": b64(attestation)})

    def get(self, options: dict[str, Any], **wrong: Any) -> str:
        """Answer the question for a signature; the counter moves on."""
        self.counter += wrong.get("step", 1)
        client = self._client("webauthn.get", options["challenge"], **wrong)
        data = self._data(wrong.get("domain", options["rpId"]), wrong.get("flags", UP | UV))
        signature = self._sign(data + hashlib.sha256(client).digest())
        response = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
        return self._answer(response | {"userHandle": wrong.get("handle", self.handle)})

    def _client(self, what: str, challenge: str, **wrong: Any) -> bytes:
        said = {"type": wrong.get("kind", what), "challenge": challenge, "origin": wrong.get("origin", ORIGIN)}
        return json.dumps(said | {"crossOrigin": False}).encode()

    def _data(self, domain: str, flags: int) -> bytes:
        return hashlib.sha256(domain.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        name = b64(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )

    def _cose(self) -> bytes:
        public = self.key.public_key()
        if self.algorithm == EDDSA:
            return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()})
        numbers = public.public_numbers()
        if self.algorithm == RS256:
            return cbor2.dumps({1: 3, 3: RS256, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")})
        return cbor2.dumps(
            {1: 2, 3: ES256, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )

    def _sign(self, data: bytes) -> bytes:
        if self.algorithm == EDDSA:
            return bytes(self.key.sign(data))
        if self.algorithm == RS256:
            return bytes(self.key.sign(data, padding.PKCS1v15(), SHA256()))
        return bytes(self.key.sign(data, ec.ECDSA(SHA256())))
