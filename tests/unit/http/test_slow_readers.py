"""Clients that read slowly: the server waits so long for each, and for half as many as it has threads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lotus_web.http.gunicorn_worker import DeadlineSocket
from lotus_web.http.slow_readers import SLOWEST, Delivery, slots_for

MORE_THAN_FITS = b"x" * 4_000_000


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What closes the connections of a test."""
    with ExitStack() as stack:
        yield stack


def connection(opened: ExitStack, delivery: Delivery) -> tuple[DeadlineSocket, socket.socket]:
    server, client = socket.socketpair()
    ours = opened.enter_context(DeadlineSocket(server))
    ours.delivery = delivery
    return ours, opened.enter_context(client)


def test_whoever_reads_nothing_is_waited_for_only_so_long(opened: ExitStack) -> None:
    slots = slots_for(8)
    delivery = Delivery(0.05, slots)
    ours, _ = connection(opened, delivery)
    began = time.monotonic()
    with pytest.raises(ConnectionResetError):
        ours.sendall(MORE_THAN_FITS)
    fits = 4_000_000 / SLOWEST
    assert 0.05 <= time.monotonic() - began < fits
    assert ours.gettimeout() is None


def test_whoever_reads_gets_all_of_it(opened: ExitStack) -> None:
    delivery = Delivery(60, slots_for(8))
    ours, client = connection(opened, delivery)
    received: list[int] = []

    def read() -> None:
        while (size := len(client.recv(65_536))) and sum(received) + size < len(MORE_THAN_FITS):
            received.append(size)
        received.append(size)

    reader = threading.Thread(target=read)
    reader.start()
    ours.sendall(MORE_THAN_FITS)
    reader.join(60)
    assert sum(received) == len(MORE_THAN_FITS)


def test_half_of_the_threads_at_most_wait_for_slow_readers(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.http.slow_readers.SLOW_AFTER_SECONDS", 0.01)
    slots = slots_for(4)
    deliveries = [Delivery(0.3, slots) for _ in range(3)]
    waits: list[float] = []

    def serve(delivery: Delivery) -> None:
        ours, _ = connection(opened, delivery)
        began = time.monotonic()
        with pytest.raises(ConnectionResetError):
            ours.sendall(MORE_THAN_FITS)
        waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=serve, args=(delivery,)) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [wait >= 0.25 for wait in sorted(waits)] == [False, True, True]
    for delivery in deliveries:
        delivery.end()
        delivery.end()
    assert [slots.acquire(blocking=False) for _ in range(3)] == [True, True, False]
