"""The delivery of notices by channels other than the console, and of callbacks (ADR 0014)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from lotus_web.config.settings import Settings
from lotus_web.domain.deliveries.states import DeliveryStatus
from lotus_web.jobs.context import JobContext
from lotus_web.queries.deliveries.undelivered import undelivered_counts
from lotus_web.services.deliveries.kinds import READERS, known_channels
from lotus_web.services.deliveries.pace import Pace
from lotus_web.services.deliveries.queue import ClaimedDelivery, claim_delivery, is_due, mark_delivered, mark_failed
from lotus_web.store.session import db, transaction
from lotus_web.telemetry.logs import log_unexpected

CADENCE_SECONDS = 5


def deliver_pending(context: JobContext, _now: datetime) -> dict[str, Any]:
    """Send every delivery that is due, one after the other; whoever turns out to be slow holds the others up once.

    Returns how many were delivered, failed and are tried again, or were given up, and how many wait for a channel that is
    not known here.
    """
    ended: Counter[DeliveryStatus] = Counter()
    channels, pace = known_channels(), Pace()
    while not context.stop.is_set() and _some_due():
        with context.unit() as session:
            claim = claim_delivery(session, channels, pace.slow)
        if claim is None:
            break
        with pace.timing(claim.receiver):
            ended[_send(claim, context.settings)] += 1
    return {
        "delivered": ended[DeliveryStatus.DELIVERED],
        "failed": ended[DeliveryStatus.PENDING],
        "given_up": ended[DeliveryStatus.DEAD],
        "unknown_channel": _waiting(known=False),
    }


def _send(claim: ClaimedDelivery, settings: Settings) -> DeliveryStatus:
    """Send one delivery with no transaction open, then mark it, whoever leads the jobs by then."""
    try:
        send = READERS[claim.kind](db.session(), claim, settings)
        db.session.rollback()
        send()
    except Exception as error:
        db.session.rollback()
        named = {"tenant": claim.tenant_id, "delivery_id": claim.delivery_id, "channel": claim.channel}
        log_unexpected(error, "delivery_failed", **named)
        with transaction() as session:
            return mark_failed(session, claim, error)
    with transaction() as session:
        mark_delivered(session, claim)
    return DeliveryStatus.DELIVERED


def preview(_context: JobContext, _now: datetime) -> dict[str, Any]:
    """Return how many deliveries wait for a channel, those to be tried again later included, and how many for an unknown one."""
    return {"delivered": _waiting(known=True), "unknown_channel": _waiting(known=False)}


def _waiting(*, known: bool) -> int:
    waiting, channels = undelivered_counts(db.session()).waiting, known_channels()
    return sum(count for channel, count in waiting.items() if (channel in channels) is known)


def _some_due() -> bool:
    found = is_due(db.session(), known_channels())
    db.session.rollback()
    return found
