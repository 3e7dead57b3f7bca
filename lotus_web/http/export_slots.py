"""How many exports a process sends at once: each keeps a thread for as long as it takes, and pages need threads too."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, current_app

from lotus_web.domain.errors import TooManyExports

SLOTS = "lotus_export_slots"
RETRY_SECONDS = 5


def most_at_once(threads: int) -> int:
    """Return the exports at once of a process with so many threads; slow readers may take half of them already."""
    return max(1, threads // 2 - 1)


def in_turn(lines: Iterable[str]) -> Iterator[str]:
    """Return the lines, of which the first is read later, and take a place until the last is sent or nobody wants them any more.

    Raises TooManyExports if there is none.
    """
    give_back = _place()
    stream = (line for line in lines)
    # A client that hangs up, or asks for the head alone, never reads to the end; a stream that is dropped gives its place back.
    weakref.finalize(stream, give_back)
    return stream


def answered_in_turn(answer: Callable[[], Response]) -> Response:
    """Return the answer, made while it has a place, which it keeps until it is sent; raises TooManyExports if there is none."""
    give_back = _place()
    try:
        response = answer()
    except BaseException:
        give_back()
        raise
    # Whatever comes first: the server closes an answer that it sent; one that it never got to send is dropped.
    response.call_on_close(weakref.finalize(response, give_back))
    return response


def _place() -> Callable[[], None]:
    """Take a place and return how to give it back."""
    slots: threading.BoundedSemaphore = current_app.extensions[SLOTS]
    if not slots.acquire(blocking=False):
        raise TooManyExports(retry_after=RETRY_SECONDS)
    return slots.release


def init_app(app: Flask) -> None:
    """Make the places of this process."""
    threads = app.extensions["lotus_settings"].web_threads
    app.extensions[SLOTS] = threading.BoundedSemaphore(most_at_once(threads))
