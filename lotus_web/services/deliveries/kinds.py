"""The kinds of deliveries: how each reads what to send, with the channels that are known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.deliveries.states import WEBHOOK, DeliveryKind
from lotus_web.services.deliveries.callbacks import read_callback
from lotus_web.services.deliveries.queue import ClaimedDelivery
from lotus_web.services.notifications.deliveries import outgoing_notice
from lotus_web.services.notifications.senders import SENDERS

# Sends what was read, with no transaction open; any exception means that it was not taken.
Send = Callable[[], None]
Reader = Callable[[Session, ClaimedDelivery, Settings], Send]


def read_notice(session: Session, claim: ClaimedDelivery, _settings: Settings) -> Send:
    """Read a notice for the sender of its channel."""
    notice = outgoing_notice(session, claim.tenant_id, claim.subject_id, delivery_id=claim.delivery_id)
    return lambda: SENDERS[claim.channel](notice)


READERS: Mapping[str, Reader] = {
    DeliveryKind.NOTICE: read_notice,
    DeliveryKind.OPERATION_CALLBACK: read_callback,
}


def known_channels() -> frozenset[str]:
    """Return the channels that this installation can send by."""
    return frozenset(SENDERS) | {WEBHOOK}
