"""An event as a decision system sends it (workflow.md §1); numbers with a fraction arrive as Decimal."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from lotus_web.domain.events.envelope import EventDraft, EventSource
from lotus_web.domain.events.payloads import EventType
from lotus_web.domain.identifiers import KEY_MAX, TRACE_MAX

TAGS_MAX = 50


def _rfc3339(value: object) -> object:
    """Refuse what pydantic would read as a time but RFC 3339 would not: numbers of seconds."""
    if not isinstance(value, str) or value.lstrip("-+").replace(".", "").isdigit():
        raise PydanticCustomError("datetime_type", "Input should be an RFC 3339 time with a zone")
    return value


Ident = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX)]
TraceIdent = Annotated[str, StringConstraints(min_length=1, max_length=TRACE_MAX)]
Instant = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceBody(_Strict):
    """Where an event comes from."""

    system: Ident
    producer_id: Ident
    subsystem: Ident | None = None


class ActorBody(_Strict):
    """Who caused it."""

    actor_type: Ident
    actor_id: Ident


class EventBody(_Strict):
    """The envelope. Unknown keys are refused, since they would be lost silently."""

    event_id: Ident
    tenant_id: Ident
    trace_id: TraceIdent
    trace_seq: Annotated[int, Field(ge=0, lt=2**31)]
    event_type: Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in EventType]})]
    occurred_at: Annotated[Instant, Field(strict=False)]
    source: SourceBody
    actor: ActorBody
    idempotency_key: Ident
    payload: dict[str, Any]
    correlation_id: TraceIdent | None = None
    causation_event_id: Ident | None = None
    schema_version: Literal[1] = 1
    tags: Annotated[list[Ident], Field(max_length=TAGS_MAX)] = []

    def to_draft(self) -> EventDraft:
        """Return the event for the log; raises ValueError for an event type that nobody knows."""
        return EventDraft(
            event_id=self.event_id,
            tenant_id=self.tenant_id,
            trace_id=self.trace_id,
            trace_seq=self.trace_seq,
            event_type=EventType(self.event_type),
            occurred_at=self.occurred_at,
            source=EventSource(**self.source.model_dump()),
            actor=self.actor.model_dump(),
            idempotency_key=self.idempotency_key,
            payload=self.payload,
            correlation_id=self.correlation_id,
            causation_event_id=self.causation_event_id,
            schema_version=self.schema_version,
            tags=tuple(self.tags),
        )
