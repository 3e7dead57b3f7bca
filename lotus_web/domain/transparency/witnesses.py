"""The witnesses that a deployment asks for their signature: where they answer, and with which key."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from lotus_web.domain.json_members import read_json
from lotus_web.domain.transparency.notes import SignatureType, VerifierKey, parse_key


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """Where a witness takes requests, and the key that it signs with."""

    url: str
    key: VerifierKey


def parse_witnesses(text: str) -> tuple[WitnessAddress, ...]:
    """Return the witnesses of a setting, ``[{"url": "https://…", "key": "name+id+key"}, …]``; raises ValueError."""
    found = read_json(text)
    if not isinstance(found, list):
        raise ValueError("not a list of witnesses")
    witnesses = tuple(_parse(one) for one in found)
    if len({one.key.public for one in witnesses}) < len(witnesses):
        raise ValueError("two witnesses with one key are one witness")
    return witnesses


def _parse(document: object) -> WitnessAddress:
    if not isinstance(document, dict) or {type(document.get(name)) for name in ("url", "key")} != {str}:
        raise ValueError("a witness has an url and a key")
    key, parts = parse_key(document["key"]), urlsplit(document["url"])
    if key.kind is not SignatureType.COSIGNATURE:
        raise ValueError("not the key of a witness")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not the address of a witness")
    return WitnessAddress(document["url"], key)
