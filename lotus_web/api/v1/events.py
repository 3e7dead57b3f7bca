"""Events from any decision system (workflow.md §1, §6). A malformed event is answered with 400 here, not 422."""

from __future__ import annotations

from typing import Any

from flask import Response

from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import FOUR_EYES, IDEMPOTENCY_CONFLICT, MALFORMED, TRACE_SEQ_CONFLICT, V1Envelope
from lotus_web.api.v1.item_answers import with_status
from lotus_web.api.v1.schemas.items import ActorAnswer
from lotus_web.api.v1.schemas.traces import PosterAnswer
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Malformed
from lotus_web.domain.events.envelope import EventType
from lotus_web.services.decisions.posted import take_event
from lotus_web.services.events.log import Appended, poster_of, stored_envelope
from lotus_web.store.session import transaction
from lotus_web.wire.events import EventBody

routes = ApiBlueprint("events", __name__, envelope=V1Envelope(malformed_status=400))


class SourceAnswer(Answer):
    """Where an event came from."""

    system: str
    subsystem: str | None
    producer_id: str


class EventAnswer(Answer):
    """An event as it is stored, with its place in the log and in the chain, and who fed it."""

    event_id: str
    tenant_id: str
    trace_id: str
    trace_seq: int
    event_type: str
    occurred_at: Stamp
    source: SourceAnswer
    actor: ActorAnswer
    idempotency_key: str
    payload: dict[str, Any]
    correlation_id: str | None
    causation_event_id: str | None
    schema_version: int
    tags: list[str]
    log_seq: int
    recorded_at: Stamp
    payload_hash: str
    prev_hash: str
    entry_hash: str
    posted_by: PosterAnswer | None

    @classmethod
    def of(cls, appended: Appended) -> EventAnswer:
        """Return a stored event as it is sent."""
        entry = appended.entry
        stored = ("log_seq", "recorded_at", "payload_hash", "prev_hash", "entry_hash")
        document = stored_envelope(entry) | {name: getattr(entry, name) for name in stored}
        return cls.model_validate(
            document | {"posted_by": PosterAnswer.of(poster_of(entry.posted_by, entry.posted_with))}
        )


@routes.post("/events")
@endpoint(
    "Append an event",
    permission=Permission.EVENTS_WRITE,
    body=EventBody,
    response=EventAnswer,
    status=201,
    also=(200,),
    refuses=(MALFORMED, FOUR_EYES, IDEMPOTENCY_CONFLICT, TRACE_SEQ_CONFLICT),
)
def append(call: Call, body: EventBody) -> Response:
    """Append an event: 201, or 200 with the stored one when it was sent before."""
    try:
        draft = body.to_draft()
    except ValueError:
        known = [kind.value for kind in EventType]
        message = f"There is no event type {body.event_type[:64]!r}."
        raise Malformed(
            "invalid_argument", message, loc=("body", "event_type"), details={"event_types": known}
        ) from None
    with transaction() as session:
        taken = take_event(session, draft, call.context(call.actor))
        return with_status(EventAnswer.of(taken), 201 if taken.created else 200)
