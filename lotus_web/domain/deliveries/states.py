"""The states of a delivery, its kinds, and when a failed one is tried again (ADR 0014)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

# The channel of callbacks; channels of notices are in domain/notifications.py.
WEBHOOK = "webhook"


class DeliveryKind(StrEnum):
    """What a delivery carries; each kind has a reader of what to send (jobs/delivery.py)."""

    NOTICE = "notice"
    OPERATION_CALLBACK = "operation_callback"


class DeliveryStatus(StrEnum):
    """The state of one delivery: a thing to tell and a channel."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"


MAX_ATTEMPTS = 8
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=6)


def retry_delay(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failed attempts, four times longer each; None when it is given up."""
    return None if attempts >= MAX_ATTEMPTS else min(FIRST_RETRY * 4 ** (attempts - 1), LONGEST_RETRY)


class NotTaken(Exception):
    """A receiver did not take a delivery; ``reason`` is stored and shown, so it holds no address and nothing of the answer."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def failure_reason(error: BaseException) -> str:
    """Return what is stored of a failure: its reason, or the kind of exception, whose text may hold an address."""
    return error.reason if isinstance(error, NotTaken) else type(error).__name__
