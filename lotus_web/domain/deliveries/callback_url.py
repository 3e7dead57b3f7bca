"""The address that an operation calls back: what it may look like before any name is looked up (proposals-api, ADR 0020).

Only one reading of it may exist. What two programs read differently (userinfo, numbers that are addresses, other
alphabets, backslashes) is refused and not repaired.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from lotus_web.domain.deliveries.addresses import Address, Network, is_named, is_public
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.sentences import Sentence

REFUSED = "callback_url_refused"
LONGEST = 2_000
# Every character of a URL that needs no second look (RFC 3986); brackets only around an IPv6 address.
CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# A host whose last label is a number is an IPv4 address to some programs, however it is written: 2130706433, 0x7f.1, 127.1.
NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")
DEFAULT_PORTS = {"https": 443, "http": 80}
# Ports of web servers. Others are for addresses that a setting names: what listens there may speak no HTTP.
PORTS = frozenset({80, 443, 8080, 8443})


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """A callback's address in parts; ``host`` is lower-case and without brackets, ``path`` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        """The address that the host is written as, None for a name."""
        try:
            return IPv6Address(self.host) if ":" in self.host else IPv4Address(self.host)
        except ValueError:
            return None

    @property
    def host_header(self) -> str:
        """The ``Host`` of the request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def refused(why: str) -> InvalidInput:
    """Return the refusal of an address; ``why`` completes the sentence."""
    return InvalidInput(REFUSED, Sentence("The callback URL {why}.", why=why), loc=("body", "callback_url"))


def parse_callback_url(text: str, *, https_only: bool) -> CallbackUrl:
    """Return the parts of a callback's address; raises InvalidInput ``callback_url_refused`` that says what is wrong."""
    if len(text) > LONGEST:
        raise refused(f"is longer than {LONGEST} characters")
    if text and not CHARACTERS.fullmatch(text):
        raise refused("has characters that a URL does not have; percent-encode them, and leave out a fragment")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise refused("is not a URL") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise refused("must begin with https:// and a host")
    if https_only and parts.scheme != "https":
        raise refused("must begin with https://")
    if "@" in parts.netloc:
        raise refused("must not contain a user name or password")
    if parts.netloc.endswith(":") or port == 0:
        raise refused("names no port after its colon")
    host = parts.hostname.removesuffix(".")
    _check_host(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/"):
        raise refused("is not a URL")
    return CallbackUrl(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path)


def _check_host(host: str) -> None:
    try:
        if ":" in host and "%" not in host:
            IPv6Address(host)
            return
        if NUMBER.fullmatch(host.rpartition(".")[2]):
            IPv4Address(host)
            return
    except ValueError:
        raise refused("must write an address in its usual form, such as 192.0.2.7") from None
    if not NAME.fullmatch(host):
        raise refused("has no host name; write an international name in its xn-- form")


def check_addresses(url: CallbackUrl, addresses: Collection[Address], allowed: tuple[Network, ...]) -> None:
    """Check where the host of an address leads; raises InvalidInput ``callback_url_refused``.

    All addresses of a name must be allowed: which one is used is chance.
    """
    if not addresses or not all(is_public(one) or is_named(one, allowed) for one in addresses):
        raise refused("does not lead to a public address")
    if url.port not in PORTS and not all(is_named(one, allowed) for one in addresses):
        raise refused(f"must use one of the ports {', '.join(map(str, sorted(PORTS)))}")
