"""An attempt to sign in, counted for a name and an address before the password is looked at."""

from __future__ import annotations

import ipaddress

import structlog
from flask import request

from lotus_web.config import current
from lotus_web.domain.errors import TooManyAttempts
from lotus_web.services.sign_in.attempts import Attempt, begin_attempt, follow_clock, place_of
from lotus_web.store.session import transaction
from lotus_web.web.sign_in.device import known_device

log = structlog.get_logger(__name__)

IPV6_PREFIX = 64


def counted_attempt(name: str) -> Attempt:
    """Count an attempt for the name on its known device, or else at the client's address, and commit; raises TooManyAttempts."""
    address, now = client_address(), current.utcnow()
    try:
        with transaction() as store:
            return begin_attempt(store, name=name, address=address, device=known_device(name), now=now)
    except TooManyAttempts:
        log.warning("sign_in_throttled", address=address)
        with transaction(aside=True) as store:
            follow_clock(store, attempt_here(name), now=now)
        raise


def attempt_here(name: str) -> Attempt:
    """Return the attempt of a name that was counted before, on this device or from this address."""
    return Attempt(name, place_of(known_device(name), client_address()))


def client_address() -> str:
    """Return the client's address; of an IPv6 address its /64, since one line has 2^64 of them."""
    text = request.remote_addr or "unknown"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
