"""Ids in paths are opaque: what was recorded under an id is found under it, percent-encoded (delta 13)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask

from lotus_web.http.path_ids import EncodedSlashes, path_info
from tests.contract.callers import Caller, review_request, segment

IDS = [
    "a/b",
    "a//b",
    "/leading and trailing/",
    "a:b",
    "with space",
    "emoji 👋🏽 ü",
    "..",
    ".",
    "../../etc/passwd",
    "%2F",
    "100%",
    "a%252Fb",
    "a?b#c&d=e+f",
    "workflow",
    "by-correlation",
    "<script>",
    "\\",
    "~._-",
]


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
@pytest.mark.parametrize("ident", IDS)
def test_a_key_and_a_correlation_id_reach_their_run(engine: Caller, reviewer: Caller, ident: str) -> None:
    headers = {"Idempotency-Key": ident, "X-Correlation-Id": ident}
    run = engine.send("POST", "/rebalance/simulate", json=review_request(), headers=headers).json
    encoded = segment(ident)
    assert run["correlation_id"] == ident
    for prefix in ("", "/api/v1"):
        engine.prefix = prefix
        assert engine.get(f"/rebalance/runs/by-correlation/{encoded}").json["result"] == run
        assert engine.get(f"/rebalance/runs/idempotency/{encoded}").json["idempotency_key"] == ident
        gate = engine.get(f"/rebalance/runs/idempotency/{encoded}/workflow")
        assert gate.json["run_id"] == run["rebalance_run_id"]
    decided = reviewer.decide(f"by-correlation/{encoded}")
    assert decided.json["workflow_status"] == "APPROVED"
    history = reviewer.get(f"/rebalance/workflow/decisions/by-correlation/{encoded}")
    assert history.json["run_id"] == run["rebalance_run_id"]


@pytest.mark.parametrize("ident", IDS)
def test_an_address_built_for_an_id_leads_back_to_it(app: Flask, ident: str) -> None:
    with app.test_request_context():
        url = app.url_for("api_v1_rebalance_runs.get_run", rebalance_run_id=ident)
    assert url.startswith("/api/v1/rebalance/runs/")
    assert url.count("/") == 5
    path = path_info(url, "", unquote_to_bytes(url).decode("latin-1")).encode("latin-1").decode()
    _, values = app.url_map.bind("localhost").match(path, "GET")
    assert values == {"rebalance_run_id": ident}


@pytest.mark.parametrize("ident", ["%FF", "%ED%A0%80", "%1F", "%EF%BF%BD", "%00", "a%00b", "a%0A", "x" * 1001])
def test_an_id_that_nothing_can_have_is_simply_not_there(engine: Caller, ident: str) -> None:
    assert engine.get(f"/rebalance/runs/{ident}").json == {"detail": "DPM_RUN_NOT_FOUND"}


@pytest.mark.parametrize(
    ("raw", "script", "decoded_path", "expected"),
    [
        ("/a%2Fb", "", "/a/b", "/a\x1fb"),
        ("/a%2fb/c?x=%2F", "", "/a/b/c", "/a\x1fb/c"),
        ("http://host/a%2Fb", "", "/a/b", "/a\x1fb"),
        ("/app/a%2Fb", "/app", "/a/b", "/a\x1fb"),
        ("/a%2Fb", "/app", "/a/b", "/a\x1fb"),
        ("/rewritten%2Fby/proxy", "", "/other", "/other"),
        ("/%C3%BC%2F%F0%9F%91%8B", "", "/\xc3\xbc/\xf0\x9f\x91\x8b", "/\xc3\xbc\x1f\xf0\x9f\x91\x8b"),
    ],
)
def test_the_path_as_sent_decides(raw: str, script: str, decoded_path: str, expected: str) -> None:
    assert path_info(raw, script, decoded_path) == expected


def test_a_server_that_tells_no_raw_path_still_serves() -> None:
    seen = []
    wrapped = EncodedSlashes(lambda environ, _: seen.append(environ["PATH_INFO"]) or [])  # type: ignore[func-returns-value]
    wrapped({"PATH_INFO": "/a/b"}, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert seen == ["/a/b"]
