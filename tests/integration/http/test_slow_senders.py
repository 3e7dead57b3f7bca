"""Who sends or reads slowly holds no thread for long: over real sockets, with as many slow ones as the server has threads, and more."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import ready_request
from tests.servers.live_server import LiveServer, serving
from tests.stores.makers import SqliteStores

THREADS, SECONDS = 2, 2
# More than there are threads. Each takes a thread for half a second after its answer, for what it still sends.
CLIENTS = 2 * THREADS
SIMULATE, EVENTS = "/rebalance/simulate", "/api/v1/events"
CHUNKED = ("Transfer-Encoding: chunked", "Content-Type: application/json")
LONG = ("Content-Length: 100000", "Content-Type: application/json")
# What a store on a busy disk or two busy cores may add; far below the minutes for which such a client would wait.
SLACK = 20

SETTINGS = {"LOTUS_JOBS": "off", "LOTUS_WEB_THREADS": str(THREADS), "LOTUS_BODY_SECONDS": str(SECONDS)}


@pytest.fixture(scope="module")
def server(sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all: that it serves the next test is part of what each of them says."""
    with serving(sqlite_stores, tmp_path_factory.mktemp("slow"), SETTINGS) as found:
        yield found


@pytest.fixture(scope="module")
def bearer(server: LiveServer) -> str:
    """The text of a token for everything that the tests ask."""
    permissions = "runs_read,runs_write,events_write"
    told = server.flask("tokens", "create", "slow-engine", "--tenant", "default", "--permissions", permissions)
    return next(word for word in told.split() if word.startswith("lw_"))


@pytest.fixture
def opened(server: LiveServer) -> Iterator[ExitStack]:
    """What closes the connections of a test."""
    with ExitStack() as stack:
        yield stack


class Raw:
    """A connection that sends what it is told, when it is told."""

    def __init__(self, url: str, opened: ExitStack, *, window: int | None = None):
        address = urlsplit(url)
        self.socket = opened.enter_context(socket.socket())
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(60)
        self.socket.connect((address.hostname, address.port))

    def begin(self, path: str, *headers: str, body: bytes = b"", method: str = "POST") -> Raw:
        """Send the head of a request and the beginning of its body."""
        lines = (f"{method} {path} HTTP/1.1", "Host: x", *headers)
        self.socket.sendall("\r\n".join((*lines, "", "")).encode() + body)
        return self

    def status(self) -> int:
        """Return the status of the answer, once it is there."""
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.socket.recv(4096)
            assert more, f"hung up after {head!r}"
            head += more
        self.rest = head.partition(b"\r\n\r\n")[2]
        return int(head.split()[1])

    def ended(self) -> bool:
        """Wait until the server hangs up."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True


def assert_lively(server: LiveServer) -> None:
    """Assert that the server answers somebody else at once."""
    began = time.monotonic()
    with ExitStack() as opened:
        assert Raw(server.url, opened).begin("/health/live", method="GET").status() == 200
    assert time.monotonic() - began < SLACK


def drip(connections: list[Raw], rounds: int) -> None:
    """Have all send a byte now and then, as long as they are let."""
    for _ in range(rounds):
        time.sleep(0.1)
        for one in connections:
            try:
                one.socket.sendall(b"x")
            except OSError:
                continue


@pytest.mark.parametrize("headers", [CHUNKED, LONG], ids=["chunked", "declared"])
@pytest.mark.parametrize("path", [SIMULATE, EVENTS, "/api/v1/nothing"])
def test_nobody_known_has_the_server_wait_for_a_body(
    server: LiveServer, opened: ExitStack, path: str, headers: tuple[str, ...]
) -> None:
    slow = [Raw(server.url, opened).begin(path, *headers, body=b"1\r\n{\r\n") for _ in range(CLIENTS)]
    assert {one.status() for one in slow} == {404 if path.endswith("nothing") else 401}
    assert_lively(server)
    assert all(one.ended() for one in slow)


def test_a_body_that_says_it_is_too_long_is_not_waited_for_either(server: LiveServer, opened: ExitStack) -> None:
    slow = [Raw(server.url, opened).begin(SIMULATE, "Content-Length: 9000000", body=b"{") for _ in range(CLIENTS)]
    assert {one.status() for one in slow} == {413}
    assert_lively(server)


@pytest.mark.parametrize("headers", [CHUNKED, LONG], ids=["chunked", "declared"])
def test_a_known_caller_is_told_that_the_body_took_too_long(
    server: LiveServer, opened: ExitStack, bearer: str, headers: tuple[str, ...]
) -> None:
    known = (f"Authorization: Bearer {bearer}", "Idempotency-Key: slow", *headers)
    began = time.monotonic()
    slow = [Raw(server.url, opened).begin(path, *known, body=b"1\r\n{\r\n") for path in (SIMULATE, EVENTS)]
    assert [one.status() for one in slow] == [408, 408]
    assert SECONDS <= time.monotonic() - began < SECONDS + SLACK
    assert json.loads(slow[0].rest or slow[0].socket.recv(4096)) == {"detail": "request_timeout"}
    assert all(one.ended() for one in slow)
    assert_lively(server)


def test_a_byte_now_and_then_gains_no_time(server: LiveServer, opened: ExitStack, bearer: str) -> None:
    known = (f"Authorization: Bearer {bearer}", "Idempotency-Key: slow", *LONG)
    began = time.monotonic()
    slow = [Raw(server.url, opened).begin(SIMULATE, *known) for _ in range(THREADS)]
    heads = [Raw(server.url, opened) for _ in range(THREADS)]
    drip([*slow, *heads], rounds=10 * SECONDS)
    assert {one.status() for one in slow} == {408}
    assert all(one.ended() for one in (*slow, *heads))
    assert time.monotonic() - began < 2 * SECONDS + SLACK
    assert_lively(server)


def test_a_form_that_takes_too_long_is_told_so_on_a_page(server: LiveServer, opened: ExitStack) -> None:
    form = Raw(server.url, opened).begin("/login", "Content-Type: application/x-www-form-urlencoded", LONG[0])
    assert form.status() == 408
    assert form.ended()


def test_what_is_only_slow_arrives_and_its_connection_lives_on(
    server: LiveServer, opened: ExitStack, bearer: str
) -> None:
    raw = json.dumps(ready_request()).encode()
    half = len(raw) // 2
    one = Raw(server.url, opened)
    for key in ("first", "second"):
        known = (f"Authorization: Bearer {bearer}", f"Idempotency-Key: {key}", f"Content-Length: {len(raw)}")
        one.begin(SIMULATE, *known, body=raw[:half])
        time.sleep(0.2)
        one.socket.sendall(raw[half:])
        assert one.status() == 200
        size = len(one.rest)
        while not one.rest.endswith(b"}") or size < half:
            one.rest = one.socket.recv(65536)
            size += len(one.rest)


def test_whoever_does_not_read_long_answers_leaves_threads_for_others(server: LiveServer, opened: ExitStack) -> None:
    page = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    slow = [Raw(server.url, opened, window=4096) for _ in range(2 * THREADS)]
    for one in slow:
        one.socket.sendall(page * 60)  # more than the buffers of a connection take
    assert_lively(server)
