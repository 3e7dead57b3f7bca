"""The two ceremonies of WebAuthn, by the package ``webauthn``: what the browser is asked, and checking what it answers.

The package is imported where it is used: it takes a quarter of a second, which no command and no worker should wait for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lotus_web.domain.identifiers import unstorable_place
from lotus_web.domain.json_members import read_json
from lotus_web.domain.sign_in.passkeys import CHALLENGE_LASTS, Site, refused

SITE_NAME = "Lotus"
# ES256, EdDSA and RS256; the verifier of receipts knows the same (wire/lotus_verify.py).
ALGORITHMS = (-7, -8, -257)
ANSWER_MAX = 16 * 1024
URL = b"-_"
TIMEOUT_MS = int(CHALLENGE_LASTS.total_seconds() * 1000)
# What the package raises for an answer that is not made like one.
MISMADE = (ValueError, KeyError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A public key that an authenticator made."""

    credential_id: str
    cose_key: str
    public_key: str
    sign_count: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer that verified: ``user_verified`` where the authenticator also asked for a PIN or a finger."""

    user_verified: bool
    sign_count: int


def to_base64url(data: bytes) -> str:
    """Return base 64 with the alphabet for URLs and without padding, as WebAuthn's JSON has it."""
    return base64.b64encode(data, altchars=URL).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Return the bytes; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=URL)


def creation_options(
    site: Site, challenge: bytes, *, name: str, display_name: str, handle: str, known: Iterable[str]
) -> dict[str, Any]:
    """Return what a browser is asked to make a key; it must verify its user and be able to find the key without a name."""
    return {
        "challenge": to_base64url(challenge),
        "rp": {"id": site.domain, "name": SITE_NAME},
        "user": {"id": handle, "name": name, "displayName": display_name},
        "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in ALGORITHMS],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [{"type": "public-key", "id": one} for one in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request_options(
    site: Site, challenge: bytes, *, known: Iterable[str] = (), verified: bool = True
) -> dict[str, Any]:
    """Return what a browser is asked to sign; ``known`` are the ids of keys that may sign, none for any of this site."""
    return {
        "challenge": to_base64url(challenge),
        "rpId": site.domain,
        "timeout": TIMEOUT_MS,
        "allowCredentials": [{"type": "public-key", "id": one} for one in known],
        "userVerification": "required" if verified else "preferred",
    }


def parsed_answer(text: str) -> Mapping[str, Any]:
    """Return what a browser sent for an authenticator's answer; raises Conflict for what is none."""
    if not 0 < len(text) <= ANSWER_MAX:
        raise refused()
    try:
        answer = read_json(text)
    except (ValueError, RecursionError):
        raise refused() from None
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or unstorable_place(answer) is not None:
        raise refused()
    return answer


def check_creation(answer: Mapping[str, Any], *, challenge: bytes, site: Site) -> NewCredential:
    """Return the new key; raises Conflict for an answer to another challenge, site or question."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from webauthn import verify_registration_response
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        found = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in ALGORITHMS],
        )
        public = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    except (WebAuthnException, *MISMADE):
        raise refused() from None
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return NewCredential(
        to_base64url(found.credential_id),
        to_base64url(found.credential_public_key),
        base64.b64encode(spki).decode(),
        found.sign_count,
    )


def check_assertion(
    answer: Mapping[str, Any], *, challenge: bytes, site: Site, cose_key: str, verified: bool
) -> Assertion:
    """Return what an answer proves; raises Conflict for one to another challenge or site, by another key, or with nobody present.

    The counter is for the caller to compare.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        found = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            credential_public_key=from_base64url(cose_key),
            credential_current_sign_count=0,
            require_user_verification=verified,
        )
    except (WebAuthnException, *MISMADE):
        raise refused() from None
    return Assertion(found.user_verified, found.new_sign_count)
