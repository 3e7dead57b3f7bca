"""Callbacks: whether an address may be called back, asked at submit and again each time, and the signed request (ADR 0020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.deliveries.addresses import Address, Network
from lotus_web.domain.deliveries.callback_url import CallbackUrl, check_addresses, parse_callback_url, refused
from lotus_web.domain.deliveries.signing import NOT_CONFIGURED
from lotus_web.domain.deliveries.states import NotTaken
from lotus_web.domain.errors import InvalidInput
from lotus_web.models import Delivery
from lotus_web.services.deliveries import posting, resolver
from lotus_web.services.deliveries.queue import ClaimedDelivery
from lotus_web.store.clock import store_now

USER_AGENT = "Lotus-Web"
OFF, REFUSED, UNKNOWN = "callbacks are not configured", "address not allowed", "host not found"


@dataclass(frozen=True, slots=True)
class CallbackTerms:
    """How callbacks are signed and where they may go; without secrets there are none."""

    secrets: tuple[str, ...]
    networks: tuple[Network, ...]
    https_only: bool

    @classmethod
    def of(cls, settings: Settings) -> CallbackTerms:
        """Read the settings in force now."""
        return cls(settings.callback_secrets, settings.callback_networks, settings.production)


def check_callback(text: str, terms: CallbackTerms) -> None:
    """Check an address that is to be called back, before anything is stored.

    Raises InvalidInput ``CALLBACKS_NOT_CONFIGURED``, or ``callback_url_refused`` with what is wrong. A name that cannot be looked
    up at the moment is let through: it is looked up again when there is something to send.
    """
    if not terms.secrets:
        raise InvalidInput(NOT_CONFIGURED, "Callbacks are not configured here.", loc=("body", "callback_url"))
    url = parse_callback_url(text, https_only=terms.https_only)
    try:
        check_addresses(url, _addresses(url), terms.networks)
    except resolver.UnknownHost:
        raise refused("names a host that does not exist") from None
    except resolver.ResolverAway:
        return


def read_callback(session: Session, claim: ClaimedDelivery, settings: Settings) -> Callable[[], None]:
    """Read the callback of an operation and return what sends it."""
    query = select(Delivery.target, Delivery.content).where(Delivery.delivery_id == claim.delivery_id)
    target, content = session.execute(query).one()
    body, now, terms = canonical_json(content).encode(), store_now(session), CallbackTerms.of(settings)
    return lambda: send_callback(str(target), body, webhook_id=claim.delivery_id, now=now, terms=terms)


def send_callback(target: str, body: bytes, *, webhook_id: str, now: datetime, terms: CallbackTerms) -> None:
    """Send one callback; raises NotTaken.

    The host is looked up once, and the connection goes to what was found and allowed then.
    """
    if not terms.secrets:
        raise NotTaken(OFF)
    try:
        url = parse_callback_url(target, https_only=terms.https_only)
        addresses = _addresses(url)
        check_addresses(url, addresses, terms.networks)
    except InvalidInput as failed:
        raise NotTaken(REFUSED) from failed
    except (resolver.UnknownHost, resolver.ResolverAway) as failed:
        raise NotTaken(UNKNOWN) from failed
    posting.post(url, addresses, body, _headers(body, webhook_id, now, terms.secrets))


def _addresses(url: CallbackUrl) -> tuple[Address, ...]:
    literal = url.literal
    return resolver.addresses_of(url.host, url.port) if literal is None else (literal,)


def _headers(body: bytes, webhook_id: str, now: datetime, secrets: tuple[str, ...]) -> dict[str, str]:
    """Return the headers of Standard Webhooks: one signature for each secret, so that a receiver needs only one of them."""
    signatures = [Webhook(secret).sign(webhook_id, now, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
