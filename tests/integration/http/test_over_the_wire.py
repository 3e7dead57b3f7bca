"""The interface through gunicorn: raw paths, chunked bodies, headers as bytes, and lines in the log."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import ready_request, segment
from tests.servers.live_server import LiveServer, serving
from tests.servers.patience import PATIENCE
from tests.stores.makers import SqliteStores

SETTINGS = {
    "LOTUS_API_AUTH": "disabled",
    "DPM_WORKFLOW_ENABLED": "true",
    "LOTUS_LOG_FORMAT": "json",
    "LOTUS_JOBS": "off",
}

Answer = tuple[int, dict[str, str], bytes]
SIMULATE = "/rebalance/simulate"


class Wire:
    """A connection that sends exactly what it is told."""

    def __init__(self, url: str):
        address = urlsplit(url)
        assert address.hostname
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)

    def send(self, method: str, target: str, body: object = None, **headers: str) -> Answer:
        """Send a request; an iterable body goes chunked. Header names use ``_`` for ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        chunked = body is not None and not isinstance(body, bytes)
        self.connection.request(method, target, body=body, headers=sent, encode_chunked=chunked)  # type: ignore[arg-type]
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.fixture(scope="module")
def server(sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all."""
    with serving(sqlite_stores, tmp_path_factory.mktemp("wire"), SETTINGS) as found:
        yield found


@pytest.fixture
def wire(server: LiveServer) -> Iterator[Wire]:
    """A connection to a running server."""
    found = Wire(server.url)
    yield found
    found.connection.close()


def request_bytes() -> bytes:
    return json.dumps(ready_request()).encode()


def test_ids_with_everything_in_them_reach_their_run(wire: Wire) -> None:
    for ident in ("a/b", "a//b", "..", "%2F", "emoji 👋", "a:b?c#d", "/"):
        on_the_wire = ident.encode().decode("latin-1")
        status, headers, body = wire.send(
            "POST", SIMULATE, request_bytes(), Idempotency_Key=on_the_wire, X_Correlation_Id=on_the_wire
        )
        assert (status, json.loads(body)["correlation_id"]) == (200, ident)
        assert headers["X-Correlation-Id"].encode("latin-1").decode() == ident
        for target in (
            f"/rebalance/runs/by-correlation/{segment(ident)}",
            f"http://desk.example/api/v1/rebalance/runs/by-correlation/{segment(ident)}",
        ):
            status, _, found = wire.send("GET", target)
            assert (status, json.loads(found)["result"]) == (200, json.loads(body)), target
        status, _, found = wire.send("GET", f"/rebalance/runs/idempotency/{segment(ident)}/workflow")
        assert (status, json.loads(found)["workflow_status"]) == (200, "NOT_REQUIRED")


def test_a_chunked_body_counts_as_it_comes(wire: Wire) -> None:
    raw = request_bytes()
    status, _, _ = wire.send("POST", SIMULATE, iter([raw[:100], raw[100:]]), Idempotency_Key="chunks")
    assert status == 200
    status, _, body = wire.send("POST", SIMULATE, iter([b" " * 65536] * 40), Idempotency_Key="more")
    assert (status, json.loads(body)) == (413, {"detail": "payload_too_large"})
    status, _, _ = wire.send("GET", "/rebalance/runs")
    assert status == 200


def test_a_body_declared_too_large_is_answered_not_reset(wire: Wire) -> None:
    status, headers, body = wire.send("POST", SIMULATE, b" " * (3 * 1024 * 1024), Connection="close")
    assert (status, json.loads(body)) == (413, {"detail": "payload_too_large"})
    assert headers["X-Correlation-Id"].startswith("corr_")


def test_no_answer_names_the_server(wire: Wire) -> None:
    for target in ("/login", "/health/live", "/static/css/tokens.css", "/nothing"):
        _, headers, _ = wire.send("GET", target)
        assert {"Date", "Content-Type"} <= set(headers)
        assert "Server" not in headers, target


def test_a_request_is_one_json_line_without_payload(wire: Wire, server: LiveServer) -> None:
    wire.send(
        "POST",
        SIMULATE,
        request_bytes(),
        Idempotency_Key="secret-key",
        X_Correlation_Id="desk-7",
        X_Request_Id="r-7",
        Authorization="Bearer very-secret",
    )
    wire.send("GET", "/rebalance/runs/by-correlation/client-smith?status=private")
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    line = next(line for line in lines if line.get("request_id") == "r-7")
    assert {name: line[name] for name in ("correlation_id", "tenant", "account", "method", "status", "event")} == {
        "correlation_id": "desk-7",
        "tenant": "default",
        "account": "anonymous",
        "method": "POST",
        "status": 200,
        "event": "request",
    }
    assert line["route"] == SIMULATE
    assert line["ms"] > 0
    for secret in ("very-secret", "secret-key", "client-smith", "private", "demo_01", "DBS_EQ"):
        assert secret not in server.log


@pytest.mark.parametrize(("target", "header", "expected"), [("/x" * 5000, "", 414), ("/health/live", "x" * 9000, 431)])
def test_what_is_too_long_never_reaches_a_route_as_the_document_says(
    wire: Wire, target: str, header: str, expected: int
) -> None:
    status, headers, _ = wire.send("GET", target, X_Long=header)
    assert (status, headers["Content-Type"]) == (expected, "text/html")
    assert "X-Correlation-Id" not in headers
