"""The setting of witnesses: an address and a key each, no two with one key."""

from __future__ import annotations

import json

import pytest

from lotus_web.domain.transparency.notes import SignatureType, VerifierKey
from lotus_web.domain.transparency.witnesses import WitnessAddress, parse_witnesses

KEY = VerifierKey("audit.example/w", bytes(range(32)), SignatureType.COSIGNATURE)
LOG = VerifierKey("audit.example/w", bytes(range(32)))
GOOD = {"url": "https://audit.example/witness", "key": str(KEY)}


def test_witnesses_are_read() -> None:
    assert parse_witnesses("[]") == ()
    assert parse_witnesses(json.dumps([GOOD])) == (WitnessAddress(GOOD["url"], KEY),)


@pytest.mark.parametrize(
    "found",
    [
        {}, [1], [{}], [{"url": "https://x"}], [GOOD | {"url": 1}], [GOOD | {"url": "ftp://x"}], [GOOD | {"url": "https://"}],
        [GOOD | {"url": "https://x?a=1"}], [GOOD | {"key": "x"}], [GOOD | {"key": str(LOG)}], [GOOD, GOOD | {"url": "https://y"}],
    ],
)  # fmt: skip
def test_anything_else_is_refused(found: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_witnesses(json.dumps(found))
