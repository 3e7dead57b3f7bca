"""The addresses of a host, asked of the machine's resolver within a time limit that the resolver itself does not have."""

from __future__ import annotations

import socket
from queue import Empty, SimpleQueue
from threading import Thread

from lotus_web.domain.deliveries.addresses import Address, parse_address

SECONDS = 3
UNKNOWN = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class UnknownHost(Exception):
    """No such host exists, as far as the resolver knows."""


class ResolverAway(Exception):
    """The resolver did not answer, or could not tell: asking later may help."""


def addresses_of(host: str, port: int) -> tuple[Address, ...]:
    """Return the addresses of a host in the resolver's order; raises UnknownHost or ResolverAway."""
    answers: SimpleQueue[tuple[Address, ...] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_ask(host, port))
        except Exception as failed:  # it is raised where the answer is waited for
            answers.put(failed)

    # A daemon: a resolver that hangs must not keep the process from ending.
    Thread(target=ask, name=f"resolve-{host}", daemon=True).start()
    try:
        answer = answers.get(timeout=SECONDS)
    except Empty:
        raise ResolverAway from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _ask(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as failed:
        raise (UnknownHost if failed.errno in UNKNOWN else ResolverAway) from None
    return tuple(dict.fromkeys(parse_address(str(place[0])) for *_, place in found))
