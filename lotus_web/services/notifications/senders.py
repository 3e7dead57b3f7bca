"""The channels that send notices out of Lotus Web, and what each is given to send (ADR 0014).

The console has no sender: it shows what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lotus_web.domain.sentences import Sentence


@dataclass(frozen=True, slots=True)
class OutgoingNotice:
    """A notice for one channel. ``delivery_id`` is the same each time it is sent: receivers use it to drop repeats."""

    delivery_id: str
    tenant_id: str
    notification_id: str
    workflow_id: str
    category: str
    sentence: Sentence
    recipient_account_id: str | None
    recipient_role: str | None
    created_at: datetime


class Sender(Protocol):
    """Sends a notice; any exception means that it was not taken. Gives up by itself well within the lease of a delivery (services/deliveries/queue.py)."""

    def __call__(self, notice: OutgoingNotice, /) -> None: ...


# By the name of the channel, a member of ``domain.notifications.Channel``.
SENDERS: dict[str, Sender] = {}
