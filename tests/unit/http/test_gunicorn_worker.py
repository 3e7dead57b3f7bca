"""The gunicorn worker: reads end at the deadline, and a worker that is stopped early still ends."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from lotus_web.http.gunicorn_worker import DeadlineListener, DeadlineSocket, TimeoutWorker


@pytest.fixture
def ends() -> Iterator[tuple[DeadlineSocket, socket.socket]]:
    """The two ends of a connection: the server's with a deadline, and the client's."""
    server, client = socket.socketpair()
    with DeadlineSocket(server) as ours, client:
        yield ours, client


@pytest.fixture
def worker() -> Iterator[TimeoutWorker]:
    """A worker that is not running, with five threads."""
    config = Config()
    config.set("threads", 5)
    found = TimeoutWorker(1, os.getpid(), [], None, 30, config, logging.getLogger(__name__))
    yield found
    found.tmp.close()


def test_what_has_arrived_is_read_until_the_deadline_and_nothing_after_it(
    ends: tuple[DeadlineSocket, socket.socket],
) -> None:
    ours, client = ends
    client.sendall(b"one two")
    ours.start_timer(60)
    assert (ours.recv(3), ours.late) == (b"one", False)
    ours.start_timer(0)
    assert (ours.recv(10), ours.late) == (b"", True)
    ours.start_timer(60)
    assert (ours.recv(10), ours.late) == (b"", True)


def test_a_silent_client_is_waited_for_until_the_deadline(ends: tuple[DeadlineSocket, socket.socket]) -> None:
    ours, _ = ends
    ours.start_timer(0.05)
    began = time.monotonic()
    assert (ours.recv(10), ours.late) == (b"", True)
    assert time.monotonic() - began >= 0.05
    assert ours.gettimeout() is None


def test_the_sockets_own_timeout_counts_where_it_is_shorter(ends: tuple[DeadlineSocket, socket.socket]) -> None:
    ours, _ = ends
    ours.start_timer(3600)
    ours.settimeout(0.01)
    with pytest.raises(TimeoutError):
        ours.recv(10)
    assert not ours.late


def test_a_client_that_still_sends_reads_its_answer_before_the_connection_is_closed(
    ends: tuple[DeadlineSocket, socket.socket],
) -> None:
    ours, client = ends
    client.sendall(b"the rest of a body")
    ours.sendall(b"refused")
    client.shutdown(socket.SHUT_WR)
    ours.linger_close()
    assert client.recv(100) == b"refused"
    assert client.recv(100) == b""
    assert ours.recv(100) == b""  # at once: gunicorn's main thread reads again before it closes


def test_closing_what_the_client_has_closed_is_no_error(ends: tuple[DeadlineSocket, socket.socket]) -> None:
    ours, client = ends
    client.close()
    ours.linger_close()
    assert ours.late


def test_a_listener_accepts_connections_with_a_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_connection(plain.getsockname()) as client:
        listener = DeadlineListener(plain)
        accepted, address = listener.accept()
        with accepted:
            assert isinstance(accepted, DeadlineSocket)
            assert address == client.getsockname()
            assert listener.getsockname() == plain.getsockname()
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"


def test_all_threads_run_before_the_first_request(worker: TimeoutWorker) -> None:
    before = set(threading.enumerate())
    with worker.get_thread_pool() as pool:
        running = set(threading.enumerate()) - before
        assert len(running) == 5
        pool.submit(lambda: None).result()
        assert set(threading.enumerate()) - before == running


def test_a_worker_takes_its_deadline_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_BODY_SECONDS", "2.5")
    found = TimeoutWorker(1, os.getpid(), [], None, 30, Config(), logging.getLogger(__name__))
    found.tmp.close()
    assert found.request_seconds == 2.5
