"""What no body of a proposal's route may be: each is refused with a place, in little time, and leaves its line alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.callers import Caller
from tests.contract.conftest import Count, written

DEMO = Path(__file__).parents[2] / "data" / "advisory-demos" / "11_advisory_auto_funding_single_ccy.json"
REQUEST: dict[str, Any] = json.loads(DEMO.read_text(encoding="utf-8"))
TEXT = json.dumps(REQUEST)
WRITES = ["/rebalance/proposals/simulate", "/rebalance/proposals/artifact"]
STEPS = [
    f"/rebalance/proposals/pp_unknown/{name}" for name in ("versions", "transitions", "approvals", "versions/async")
]
NUMBER = '"quantity": "50"'
assert NUMBER in TEXT


def sized(number: str) -> bytes:
    """Return the request with a number as it is written in JSON."""
    return TEXT.replace(NUMBER, f'"quantity": {number}').encode()


def with_member(member: str) -> bytes:
    """Return the request with a member that nobody asked for."""
    return ("{" + member + ", " + TEXT[1:]).encode()


RAW: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "half an object": TEXT[:-1].encode(),
    "two objects": TEXT.encode() * 2,
    "a list": b"[" + TEXT.encode() + b"]",
    "a text": json.dumps(TEXT).encode(),
    "null": b"null",
    "no text at all": b"\xff\xfe\x00",
    "another encoding": TEXT.replace("demo", "d\u00e9mo").encode("latin-1") + b"\xe9",
    "NaN": sized("NaN"),
    "Infinity": sized("-Infinity"),
    "a float": sized("1.5"),
    "a float beyond floats": sized("1e400"),
    "a huge exponent": sized("1E+100000000"),
    "a huge exponent as a text": sized('"1E+100000000"'),
    "an exponent of twenty digits": sized("1e99999999999999999999"),
    "an integer of five thousand digits": sized("9" * 5_000),
    "an integer of five hundred digits": sized("9" * 500),
    "digits without end": sized('"' + "9" * 900_000 + '"'),
    "deep lists": with_member('"x": ' + "[" * 5_000 + "]" * 5_000),
    "deep objects": with_member('"x": ' + '{"x":' * 200 + "1" + "}" * 200),
    "depth without end": b"[" * 900_000,
    "a long list": with_member('"x": [' + "0," * 10_000 + "0]"),
    "a member twice": with_member('"created_by": "a", "created_by": "b"'),
    "a member twice deep inside": with_member('"x": [{"y": {"z": 1, "z": 1}}]'),
    "a member twice, one escaped": with_member(r'"x": 1, "\u0078": 2'),
    "a NUL": with_member(r'"x": "\u0000"'),
    "half a surrogate pair": with_member(r'"x": "\ud800"'),
    "half a surrogate pair as a name": with_member(r'"\udc00": 1'),
}


@pytest.mark.parametrize("path", [*WRITES, "/rebalance/proposals", "/rebalance/proposals/async", *STEPS])
def test_a_body_that_cannot_be_is_refused_at_its_place_and_leaves_its_line(
    engine: Caller, path: str, count_rows: Callable[[], Count]
) -> None:
    before, started = count_rows(), time.process_time()
    for name, raw in RAW.items():
        answer = engine.send("POST", path, data=raw, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 422, (name, answer.text[:500])
        assert {problem["loc"][0] for problem in answer.json["detail"]} == {"body"}, name
        assert len(answer.data) < 10_000, name
    assert time.process_time() - started < 10
    assert written(before, count_rows()) == {"dg_audit_records": len(RAW)}


@pytest.mark.parametrize("path", WRITES)
def test_a_body_says_that_it_is_json_or_nothing(engine: Caller, path: str, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    wrong = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json5", "?")
    for kind in wrong:
        answer = engine.send("POST", path, data=TEXT, content_type=kind, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["body"]), kind
    assert written(before, count_rows()) == {"dg_audit_records": len(wrong)}
    for kind in (None, "application/json", "Application/JSON; charset=utf-8", "application/vnd.lotus+json"):
        answer = engine.send("POST", path, data=TEXT, content_type=kind, headers={"Idempotency-Key": f"k-{kind}"})
        assert answer.status_code == 200, kind


@pytest.mark.parametrize("path", WRITES)
def test_a_key_is_up_to_255_visible_characters(engine: Caller, path: str, count_rows: Callable[[], Count]) -> None:
    before = count_rows()
    wrong = ("", " ", "k" * 256, "k\x7f", "k\x00", "k\u200b", " k", "k ")
    for key in wrong:
        environ = {"HTTP_IDEMPOTENCY_KEY": key.encode().decode("latin-1")}
        answer = engine.send("POST", path, json=REQUEST, environ_overrides=environ)
        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"]), key
    assert written(before, count_rows()) == {"dg_audit_records": len(wrong)}
    for key in ("k" * 255, "a/b:c%2F", "ключ", "../..", "' OR 1=1 --"):
        environ = {"HTTP_IDEMPOTENCY_KEY": key.encode().decode("latin-1")}
        answer = engine.send("POST", path, json=REQUEST, environ_overrides=environ)
        found = (
            answer.json.get("lineage") or answer.json["evidence_bundle"]["engine_outputs"]["proposal_result"]["lineage"]
        )
        assert (answer.status_code, found["idempotency_key"]) == (200, key)
