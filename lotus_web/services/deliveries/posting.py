"""One POST to one address: no redirect is followed, nothing of the answer but its status is read, and all of it has one deadline."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer

from lotus_web.domain.deliveries.addresses import Address
from lotus_web.domain.deliveries.callback_url import CallbackUrl
from lotus_web.domain.deliveries.states import NotTaken

CONNECT_SECONDS = 3
# From the first connection to the last header of the answer, however slowly it is sent.
TOTAL_SECONDS = 10
MOST_ADDRESSES = 3

CONNECT_FAILED, NO_ANSWER, BAD_CERTIFICATE, TOO_LATE = (
    "no connection",
    "no valid answer",
    "certificate not accepted",
    "no answer in time",
)


class PinnedConnection(HTTPConnection):
    """A connection to the addresses that were checked, whatever the host's name means by now.

    The name is still what the certificate must be for, and the ``Host`` of the request.
    """

    def __init__(self, url: CallbackUrl, addresses: Sequence[Address]):
        super().__init__(url.host, url.port, timeout=CONNECT_SECONDS)
        self.url, self.addresses = url, addresses
        self.ended = Event()

    def connect(self) -> None:
        """Connect to the first address that answers, and shake hands."""
        self.sock = self._first_that_answers()
        if self.ended.is_set():  # the deadline passed before there was a socket to end
            raise TimeoutError
        if self.url.scheme == "https":
            context = ssl.create_default_context()
            # The handshake comes after the socket is noted, so that the deadline reaches it.
            self.sock = context.wrap_socket(self.sock, server_hostname=self.url.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
        self.sock.settimeout(TOTAL_SECONDS)

    def _first_that_answers(self) -> socket.socket:
        failed: OSError | None = None
        for address in self.addresses[:MOST_ADDRESSES]:
            family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
            found = socket.socket(family, socket.SOCK_STREAM)
            found.settimeout(CONNECT_SECONDS)
            try:
                found.connect((str(address), self.url.port))
            except OSError as error:
                found.close()
                failed = error
            else:
                return found
        raise NotTaken(CONNECT_FAILED) from failed

    def expire(self) -> None:
        """End whatever the connection waits for: the deadline has passed."""
        self.ended.set()
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def post(url: CallbackUrl, addresses: Sequence[Address], body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body to the first of the addresses that answers; raises NotTaken unless the answer's status is 2xx."""
    connection = PinnedConnection(url, addresses)
    deadline = Timer(TOTAL_SECONDS, connection.expire)
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", url.path, body, {"Host": url.host_header, **headers})
        status = connection.getresponse().status
        if connection.ended.is_set():  # a head that was cut off there would count as a whole one
            raise TimeoutError
    except ssl.SSLCertVerificationError as failed:
        raise NotTaken(BAD_CERTIFICATE) from failed
    except (OSError, HTTPException, ValueError) as failed:
        raise NotTaken(
            TOO_LATE if connection.ended.is_set() or isinstance(failed, TimeoutError) else NO_ANSWER
        ) from failed
    finally:
        deadline.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise NotTaken(f"HTTP {status}")
