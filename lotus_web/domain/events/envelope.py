"""An event on its way into the log, and the hash chain that makes the log provable (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lotus_web.domain.canonical import canonical_json, canonical_object, text_hash
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events.facts import FactType
from lotus_web.domain.events.payloads import EventType as EventType
from lotus_web.domain.events.payloads import check_payload
from lotus_web.domain.identifiers import KEY_MAX, TRACE_MAX, is_storable

GENESIS = "sha256:" + "0" * 64
SCHEMA_VERSION = 1
OWN_PRODUCER = "lotus-web"
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
# How far the clock of another system may be ahead of ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventSource:
    """Where an event comes from."""

    system: str
    producer_id: str
    subsystem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The wire shape."""
        return {"system": self.system, "subsystem": self.subsystem, "producer_id": self.producer_id}


SOURCE = EventSource(system="lotus-web", producer_id=OWN_PRODUCER, subsystem="rebalance")


@dataclass(frozen=True, slots=True)
class Poster:
    """The account that sent an event and the token it came with (None where tokens are switched off)."""

    account: str
    token_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The wire shape."""
        return {"account": self.account, "token_id": self.token_id}


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it has a place in the log; ``trace_seq`` None means the next one of its trace."""

    event_id: str
    tenant_id: str
    trace_id: str
    event_type: EventType | FactType
    occurred_at: datetime
    source: EventSource
    actor: Mapping[str, str]
    idempotency_key: str
    payload: Mapping[str, Any]
    trace_seq: int | None = None
    correlation_id: str | None = None
    causation_event_id: str | None = None
    schema_version: int = SCHEMA_VERSION
    tags: tuple[str, ...] = field(default=())

    @property
    def producer_id(self) -> str:
        """Who produced the event, by the name that a stored event has for it."""
        return self.source.producer_id


def check_draft(draft: EventDraft) -> None:
    """Raise InvalidInput ``invalid_argument`` for an event that cannot be: its ids, actor, time or payload."""
    ids = {
        "event_id": draft.event_id,
        "trace_id": draft.trace_id,
        "idempotency_key": draft.idempotency_key,
        "source.producer_id": draft.source.producer_id,
        "source.system": draft.source.system,
        "actor.actor_type": draft.actor.get("actor_type"),
        "actor.actor_id": draft.actor.get("actor_id"),
    }
    for name, value in ids.items():
        longest = TRACE_MAX if name == "trace_id" else KEY_MAX
        if not isinstance(value, str) or not value.strip() or len(value) > longest or not is_storable(value):
            raise _refuse(name, f"{name} must be 1 to {longest} visible characters")
    for name, value in (("correlation_id", draft.correlation_id), ("causation_event_id", draft.causation_event_id)):
        if value is not None and (len(value) > TRACE_MAX or not is_storable(value)):
            raise _refuse(name, f"{name} must be at most {TRACE_MAX} characters that can be stored")
    if not EARLIEST <= draft.occurred_at < LATEST:
        raise _refuse("occurred_at", f"occurred_at must lie between {EARLIEST:%Y} and {LATEST:%Y}")
    check_payload(EventType(draft.event_type), draft.payload)


def check_not_ahead(draft: EventDraft, now: datetime) -> None:
    """Raise InvalidInput for an event that says it happened later than ``now``, but for what clocks differ: deadlines count from it."""
    if draft.occurred_at > now + CLOCKS_DIFFER_BY:
        minutes = CLOCKS_DIFFER_BY // timedelta(minutes=1)
        raise _refuse("occurred_at", f"occurred_at lies more than {minutes} minutes ahead of the clock here")


def _refuse(name: str, message: str) -> InvalidInput:
    return InvalidInput("invalid_argument", message, loc=("body", *name.split(".")))


def envelope(draft: EventDraft, *, trace_seq: int) -> dict[str, Any]:
    """Return the wire envelope of an event (workflow.md §1)."""
    return {
        "event_id": draft.event_id,
        "tenant_id": draft.tenant_id,
        "trace_id": draft.trace_id,
        "trace_seq": trace_seq,
        "event_type": draft.event_type.value,
        # As the store gives it back, so that what is made of it now is what a rebuild makes of it.
        "occurred_at": draft.occurred_at.astimezone(UTC),
        "source": draft.source.as_dict(),
        "actor": dict(draft.actor),
        "idempotency_key": draft.idempotency_key,
        "payload": draft.payload,
        "correlation_id": draft.correlation_id,
        "causation_event_id": draft.causation_event_id,
        "schema_version": draft.schema_version,
        "tags": list(draft.tags),
    }


def entry_content_hash(
    envelope_texts: Mapping[str, str],
    *,
    payload_hash: str,
    recorded_at: str,
    applied_defaults: str,
    poster: Poster | None = None,
) -> str:
    """Return the hash of what an entry says: its envelope (payload by hash) and what storage adds, but not its place.

    All but the payload's hash come as canonical JSON texts, so that stored texts are hashed as they are. The poster
    counts only where there is one, so that older entries, which have none, keep their hash.
    """
    members = {**envelope_texts, "payload": canonical_json(payload_hash)}
    said = {
        "envelope": canonical_object(members),
        "recorded_at": recorded_at,
        "applied_defaults": applied_defaults,
    }
    if poster is not None:
        said["posted_by"] = canonical_json(poster.as_dict())
    return text_hash(canonical_object(said))


def link_hash(content: str, prev_hash: str) -> str:
    """Return the hash of an entry in its place: of what it says and of the entry before it.

    The two steps let a proof pass over other people's entries by their content hashes alone (wire/audit.py).
    """
    members = {"content_hash": canonical_json(content), "prev_hash": canonical_json(prev_hash)}
    return text_hash(canonical_object(members))


def entry_hash(
    envelope_document: Mapping[str, Any],
    *,
    payload_hash: str,
    prev_hash: str,
    recorded_at: datetime,
    applied_defaults: Mapping[str, Any],
    poster: Poster | None = None,
) -> str:
    """Return the chain hash of an entry: over its envelope (payload by hash), what storage adds, and the entry before."""
    content = entry_content_hash(
        {key: canonical_json(value) for key, value in envelope_document.items() if key != "payload"},
        payload_hash=payload_hash,
        recorded_at=canonical_json(recorded_at),
        applied_defaults=canonical_json(applied_defaults),
        poster=poster,
    )
    return link_hash(content, prev_hash)


def own_event_key(about: str, event_type: EventType) -> str:
    """Return the idempotency key of an event that a run, a version or a step of a proposal has once, by the id of that."""
    return f"{about}:{event_type.value}"
