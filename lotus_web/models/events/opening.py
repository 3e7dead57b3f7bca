"""Who is behind the event that opened an item: for pages and for the rule of four eyes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_behind, principals_of, token_credential
from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.models.accounts import ApiToken
from lotus_web.models.events.log import EventLogEntry


@dataclass(frozen=True, slots=True)
class Opening:
    """The account that sent the event (None for Lotus Web itself), and everyone who was behind that."""

    posted_by: str | None
    principals: frozenset[str]


def opening_of(session: Session, tenant_id: str, event_id: str) -> Opening:
    """Return who opened an item, by its event: what another system says of itself there is not believed."""
    query = (
        select(EventLogEntry.producer_id, EventLogEntry.posted_by, EventLogEntry.payload, ApiToken)
        .outerjoin(ApiToken, ApiToken.token_id == EventLogEntry.posted_with)
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.event_id == event_id)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return Opening(None, frozenset())
    producer_id, posted_by, payload, token = found
    if producer_id == OWN_PRODUCER:
        return Opening(None, principals_of(payload.get("acted_by")))
    credential = token_credential(token and token.made_by, token and token.principals)
    return Opening(posted_by, principals_behind(posted_by, credential) if posted_by else frozenset())
