"""One POST to a pinned address: by TLS for the name it was sent to, no redirect, no body read, all within one deadline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lotus_web.config.current import utcnow
from lotus_web.domain.deliveries.addresses import parse_networks
from lotus_web.domain.deliveries.states import NotTaken
from lotus_web.services.deliveries import posting, resolver
from lotus_web.services.deliveries.callbacks import CallbackTerms, send_callback
from tests.servers.patience import PATIENCE
from tests.servers.receiver import CERTIFICATES, Receiver, listening

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TERMS = CallbackTerms((SECRET,), parse_networks("127.0.0.1/32"), https_only=False)


def send(target: str, terms: CallbackTerms = TERMS) -> None:
    send_callback(target, b"{}", webhook_id="dlv_1", now=utcnow(), terms=terms)


def reason(target: str, terms: CallbackTerms = TERMS) -> str:
    with pytest.raises(NotTaken) as failed:
        send(target, terms)
    return failed.value.reason


class Names:
    """A resolver whose answers change: each look-up takes the next of them, the last stays."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@contextmanager
def named(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Iterator[Names]:
    names = Names(*answers)
    with monkeypatch.context() as patch:
        patch.setattr(resolver.socket, "getaddrinfo", names)
        yield names


@contextmanager
def raw_server(*chunks: bytes, again: bytes = b"") -> Iterator[str]:
    """Yield the address of a server that sends ``chunks`` and then ``again`` and again until the other side has gone."""
    server = socket.create_server(("127.0.0.1", 0))
    gone = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        connection.settimeout(PATIENCE)
        with connection:
            connection.recv(65536)
            try:
                for chunk in chunks:
                    connection.sendall(chunk)
                while again:
                    connection.sendall(again)
                while connection.recv(65536):
                    pass
            except OSError:
                pass
        gone.set()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert gone.wait(PATIENCE), "the connection was left open"
    finally:
        server.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with listening() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            receiver.status, receiver.location = status, elsewhere.url
            assert reason(receiver.url) == f"HTTP {status}"
        assert len(receiver.received) == 5
        assert elsewhere.received == []


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_any_status_but_2xx_means_not_taken(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert reason(receiver.url) == f"HTTP {status}"


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_found(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening("127.0.0.2", port=receiver.port) as inside, named(monkeypatch, "127.0.0.1", "127.0.0.2") as names:
        send(f"http://hooks.example:{receiver.port}/hook?for=desk")
        assert names.asked == ["hooks.example"]
        (one,) = receiver.received
        assert (one.path, one.headers["host"]) == ("/hook?for=desk", f"hooks.example:{receiver.port}")
        assert reason(f"http://hooks.example:{receiver.port}/hook") == "address not allowed"
        assert inside.received == []


def test_tls_is_for_the_name_although_the_address_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    strictly = CallbackTerms(TERMS.secrets, TERMS.networks, https_only=True)
    with listening(tls=True) as receiver, named(monkeypatch, "127.0.0.1"):
        send(f"https://hooks.example:{receiver.port}/hook", strictly)
        assert [one.headers["host"] for one in receiver.received] == [f"hooks.example:{receiver.port}"]
        assert receiver.names == ["hooks.example"]
        assert reason(f"https://other.example:{receiver.port}/hook", strictly) == "certificate not accepted"
        assert reason(f"http://hooks.example:{receiver.port}/hook", strictly) == "address not allowed"
        assert len(receiver.received) == 1


def test_an_unknown_authority_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(tls=True) as receiver, named(monkeypatch, "127.0.0.1"):
        assert reason(f"https://hooks.example:{receiver.port}/hook") == "certificate not accepted"
        assert receiver.received == []


def test_nothing_of_an_answer_but_its_status_is_read() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\n\r\n", again=b"x" * 65536) as url:
        send(url)


@pytest.mark.parametrize(
    ("chunks", "again"),
    [((), b"HTTP/1.1 100 Continue\r\n\r\n"), ((b"HTTP/1.1 200 OK\r\nX: y",), b""), ((), b"")],
    ids=["it answers 100 for ever", "a header that never ends", "it says nothing"],
)
def test_an_answer_that_never_ends_has_a_deadline(
    monkeypatch: pytest.MonkeyPatch, chunks: tuple[bytes, ...], again: bytes
) -> None:
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 0.2)
    with raw_server(*chunks, again=again) as url:
        assert reason(url) == "no answer in time"


def test_an_answer_that_is_no_http_is_none() -> None:
    with raw_server(b"SSH-2.0-OpenSSH_9.9\r\n") as url:
        assert reason(url) == "no valid answer"


def test_nobody_listens() -> None:
    with listening() as gone:
        pass
    assert reason(gone.url) == "no connection"


def test_a_host_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(resolver.socket, "getaddrinfo", unknown)
    assert reason("https://hooks.example/") == "host not found"


def test_a_resolver_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        answers.wait(PATIENCE)
        return []

    monkeypatch.setattr(resolver.socket, "getaddrinfo", hang)
    monkeypatch.setattr(resolver, "SECONDS", 0.05)
    assert reason("https://hooks.example/") == "host not found"
    answers.set()


def test_without_secrets_nothing_is_sent(receiver: Receiver) -> None:
    off = CallbackTerms((), TERMS.networks, https_only=False)
    assert reason(receiver.url, off) == "callbacks are not configured"
    assert receiver.received == []
