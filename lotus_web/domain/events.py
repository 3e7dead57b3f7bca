"""The event vocabulary, its payload checks, and the hash chain that makes the log provable (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lotus_web.domain.canonical import canonical_json, content_hash
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.workflow import Priority, WorkflowKind

PAYLOAD_MAX_BYTES = 64 * 1024
GENESIS = "sha256:" + "0" * 64
SCHEMA_VERSION = 1
OWN_PRODUCER = "lotus-web"


class EventType(StrEnum):
    """What happened."""

    TRACE_STARTED = "TraceStarted"
    INPUT_OBSERVED = "InputObserved"
    ENTITY_OBSERVED = "EntityObserved"
    POLICY_EVALUATED = "PolicyEvaluated"
    EXCEPTION_REQUESTED = "ExceptionRequested"
    APPROVAL_RECORDED = "ApprovalRecorded"
    WORKFLOW_REVIEW_REQUESTED = "WorkflowReviewRequested"
    PRECEDENT_CITED = "PrecedentCited"
    ACTION_PROPOSED = "ActionProposed"
    ACTION_COMMITTED = "ActionCommitted"
    TRACE_FINISHED = "TraceFinished"


class _Text:
    """Marks a payload key that holds non-empty text."""


_POLICY = {"policy_id": _Text, "policy_version": _Text}
_SUBJECT = {"subject_type": _Text, "subject_id": _Text}
_ENTITY = {"entity_type": _Text, "entity_id": _Text}

# A leaf is a kind (_Text, dict, list, int, object for anything) or a tuple of allowed words; a dict nests.
REQUIRED: dict[EventType, dict[str, Any]] = {
    EventType.TRACE_STARTED: {"workflow": _Text, "title": _Text, "primary_entity": _ENTITY},
    EventType.INPUT_OBSERVED: {
        "input_id": _Text,
        "source": {"system": _Text, "object_type": _Text, "object_id": _Text},
        "facts": object,
    },
    EventType.ENTITY_OBSERVED: {"entity": _ENTITY, "role": ("primary", "related"), "facts": object},
    EventType.POLICY_EVALUATED: {
        "policy": _POLICY,
        "inputs": object,
        "decision": ("allow", "deny", "require_exception"),
    },
    EventType.EXCEPTION_REQUESTED: {"exception_id": _Text, "policy": _POLICY, "reason": _Text},
    EventType.APPROVAL_RECORDED: {
        "approval_id": _Text,
        "subject": _SUBJECT,
        "approver": {"actor_type": _Text, "actor_id": _Text},
        "decision": ("approved", "rejected"),
    },
    EventType.WORKFLOW_REVIEW_REQUESTED: {
        "template_id": _Text,
        "subject": _SUBJECT,
        "assignee": dict,
        "priority": tuple(priority.word for priority in Priority),
        "sla_hours": int,
        "reason": _Text,
        "title": _Text,
        "workflow_kind": tuple(kind.value for kind in WorkflowKind),
    },
    EventType.PRECEDENT_CITED: {"cited_trace_id": _Text, "reason": _Text},
    EventType.ACTION_PROPOSED: {"action_id": _Text},
    EventType.ACTION_COMMITTED: {"action_id": _Text},
    EventType.TRACE_FINISHED: {"outcome": ("success", "failure", "abandoned")},
}


@dataclass(frozen=True, slots=True)
class EventSource:
    """Where an event comes from."""

    system: str
    producer_id: str
    subsystem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The wire shape."""
        return {"system": self.system, "subsystem": self.subsystem, "producer_id": self.producer_id}


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it has a place in the log; ``trace_seq`` None means the next one of its trace."""

    event_id: str
    tenant_id: str
    trace_id: str
    event_type: EventType
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


def _refuse(message: str) -> InvalidInput:
    return InvalidInput("invalid_argument", message, loc=("body", "payload"))


def _check_shape(value: Any, shape: Any, path: str) -> None:
    match shape:
        case dict():
            if not isinstance(value, Mapping):
                raise _refuse(f"{path} must be an object")
            for key, inner in shape.items():
                if value.get(key) is None:
                    raise _refuse(f"{path}.{key} is required")
                _check_shape(value[key], inner, f"{path}.{key}")
        case tuple():
            if value not in shape:
                raise _refuse(f"{path} must be one of {', '.join(shape)}")
        case _ if shape is _Text:
            if not isinstance(value, str) or not value.strip():
                raise _refuse(f"{path} must be non-empty text")
        case _ if shape is int:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise _refuse(f"{path} must be a whole number of at least 1")
        case _ if shape is dict:
            if not isinstance(value, Mapping):
                raise _refuse(f"{path} must be an object")


def check_payload(event_type: EventType, payload: Mapping[str, Any]) -> None:
    """Raise InvalidInput ``invalid_argument`` when a required key is missing or wrong, or the payload is over 64 KiB."""
    _check_shape(payload, REQUIRED[event_type], "payload")
    try:
        size = len(canonical_json(payload))
    except (TypeError, ValueError) as wrong:
        raise _refuse(f"payload: {wrong}") from None
    if size > PAYLOAD_MAX_BYTES:
        raise _refuse(f"payload is larger than {PAYLOAD_MAX_BYTES // 1024} KiB")


def envelope(draft: EventDraft, *, trace_seq: int) -> dict[str, Any]:
    """Return the wire envelope of an event (workflow.md §1)."""
    return {
        "event_id": draft.event_id,
        "tenant_id": draft.tenant_id,
        "trace_id": draft.trace_id,
        "trace_seq": trace_seq,
        "event_type": draft.event_type.value,
        "occurred_at": draft.occurred_at,
        "source": draft.source.as_dict(),
        "actor": dict(draft.actor),
        "idempotency_key": draft.idempotency_key,
        "payload": draft.payload,
        "correlation_id": draft.correlation_id,
        "causation_event_id": draft.causation_event_id,
        "schema_version": draft.schema_version,
        "tags": list(draft.tags),
    }


def entry_hash(
    envelope_document: Mapping[str, Any],
    *,
    payload_hash: str,
    prev_hash: str,
    recorded_at: datetime,
    applied_defaults: Mapping[str, Any],
) -> str:
    """Return the chain hash of an entry: over its envelope (payload by hash), what storage adds, and the entry before."""
    return content_hash(
        {
            "envelope": {**envelope_document, "payload": payload_hash},
            "recorded_at": recorded_at,
            "applied_defaults": applied_defaults,
            "prev_hash": prev_hash,
        }
    )
