"""The vocabulary of events, what the payload of each must hold, and the check that refuses anything else (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import turned_text
from lotus_web.domain.identifiers import KEY_MAX, TRACE_MAX, is_storable
from lotus_web.domain.items.actions import Verdict
from lotus_web.domain.items.values import Priority, WorkflowKind

PAYLOAD_MAX_BYTES = 64 * 1024
SLA_HOURS_MAX = 24 * 366
# What pages show on one line.
NAME_MAX = 300


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


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of one kind: ``fits`` says whether a value is one, ``words`` completes "must be …"."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Optional:
    """A key that may be absent or null."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Open:
    """A key that must be there and may be null: the deployment's default holds then."""

    shape: Leaf


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


TEXT = Leaf("non-empty text", _is_text)
NAME = Leaf(
    f"non-empty text of at most {NAME_MAX} characters", lambda value: _is_text(value) and len(value) <= NAME_MAX
)
ANY_TEXT = Leaf("text", lambda value: isinstance(value, str))
ID = Leaf(f"non-empty text of at most {KEY_MAX} characters", lambda value: _is_text(value) and len(value) <= KEY_MAX)
TRACE_ID = Leaf(
    f"non-empty text of at most {TRACE_MAX} characters", lambda value: _is_text(value) and len(value) <= TRACE_MAX
)
HOURS = Leaf(
    f"a whole number from 1 to {SLA_HOURS_MAX}", lambda value: type(value) is int and 1 <= value <= SLA_HOURS_MAX
)
FLAG = Leaf("true or false", lambda value: type(value) is bool)
COUNT = Leaf("a whole number from 0", lambda value: type(value) is int and value >= 0)
OBJECT = Leaf("an object", lambda value: isinstance(value, Mapping))
ANYTHING = Leaf("anything", lambda _value: True)


def one_of(*words: str) -> Leaf:
    """One of these words."""
    return Leaf("one of " + ", ".join(words), lambda value: isinstance(value, str) and value in words)


_POLICY = {"policy_id": NAME, "policy_version": NAME}
_SUBJECT = {"subject_type": NAME, "subject_id": TEXT}
_ENTITY = {"entity_type": NAME, "entity_id": ID}
_EVIDENCE = {
    "surface": Optional(NAME),
    "reason_code": Optional(NAME),
    "shown_digest": Optional(TEXT),
    "four_eyes": Optional(TEXT),
    "presented": Optional(FLAG),
    "evidence_digest": Optional(TEXT),
    "seconds_open": Optional(COUNT),
    "signed_in": Optional(OBJECT),
    "acted_by": Optional(OBJECT),
    "attached": Optional(OBJECT),
}

SHAPES: dict[EventType, dict[str, Any]] = {
    EventType.TRACE_STARTED: {"workflow": NAME, "title": NAME, "primary_entity": _ENTITY},
    EventType.INPUT_OBSERVED: {
        "input_id": NAME,
        "source": {"system": NAME, "object_type": NAME, "object_id": TEXT},
        "facts": ANYTHING,
    },
    EventType.ENTITY_OBSERVED: {"entity": _ENTITY, "role": one_of("primary", "related"), "facts": ANYTHING},
    EventType.POLICY_EVALUATED: {
        "policy": _POLICY,
        "inputs": ANYTHING,
        "decision": one_of("allow", "deny", "require_exception"),
    },
    EventType.EXCEPTION_REQUESTED: {
        "exception_id": ID,
        "policy": _POLICY,
        "reason": TEXT,
        "title": Optional(NAME),
        "portfolio_id": Optional(ID),
    },
    EventType.APPROVAL_RECORDED: {
        "approval_id": NAME,
        "subject": _SUBJECT,
        "approver": {"actor_type": NAME, "actor_id": NAME},
        "decision": one_of(*Verdict),
        "reason": Optional(ANY_TEXT),
        "evidence": Optional(_EVIDENCE),
    },
    EventType.WORKFLOW_REVIEW_REQUESTED: {
        "template_id": ID,
        "subject": _SUBJECT,
        "assignee": {"account_id": Optional(ID), "role": Optional(ID)},
        "priority": one_of(*(priority.word for priority in Priority)),
        "sla_hours": Open(HOURS),
        "reason": TEXT,
        "title": NAME,
        "workflow_kind": one_of(*(kind.value for kind in WorkflowKind)),
    },
    EventType.PRECEDENT_CITED: {"cited_trace_id": TRACE_ID, "reason": TEXT},
    EventType.ACTION_PROPOSED: {"action_id": NAME},
    EventType.ACTION_COMMITTED: {"action_id": NAME},
    EventType.TRACE_FINISHED: {"outcome": one_of("success", "failure", "abandoned")},
}


def _refuse(message: str) -> InvalidInput:
    return InvalidInput("invalid_argument", message, loc=("body", "payload"))


def check_payload(event_type: EventType, payload: Mapping[str, Any]) -> None:
    """Raise InvalidInput ``invalid_argument`` when a key is missing or wrong, a text cannot be stored, or it is over 64 KiB."""
    _check(payload, SHAPES[event_type], "payload")
    try:
        size = len(canonical_json(payload))
    except (TypeError, ValueError, RecursionError) as wrong:
        raise _refuse(f"payload: {wrong}") from None
    if size > PAYLOAD_MAX_BYTES:
        raise _refuse(f"payload is larger than {PAYLOAD_MAX_BYTES // 1024} KiB")
    _check_texts(payload)


def _check(value: Any, shape: Any, path: str) -> None:
    if isinstance(shape, Leaf):
        if not shape.fits(value):
            raise _refuse(f"{path} must be {shape.words}")
        return
    if not isinstance(value, Mapping):
        raise _refuse(f"{path} must be an object")
    for key, inner in shape.items():
        if not (isinstance(inner, Open) and key in value and value[key] is None):
            _check_key(value.get(key), inner, f"{path}.{key}")


def _check_key(value: Any, shape: Any, path: str) -> None:
    if value is not None:
        _check(value, shape.shape if isinstance(shape, (Open, Optional)) else shape, path)
    elif not isinstance(shape, Optional):
        raise _refuse(f"{path} is required")


def _check_texts(value: Any) -> None:
    """Refuse NUL and lone surrogates wherever they are: PostgreSQL stores neither."""
    if isinstance(value, str):
        if not is_storable(value):
            raise _refuse("payload contains characters that cannot be stored")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_texts(item)


def check_shown(event_type: EventType, payload: Mapping[str, Any]) -> None:
    """Raise InvalidInput ``invalid_argument`` where a name or a reason of a payload turns the text around it."""
    for path, text in _shown_texts(payload, SHAPES[event_type], "payload"):
        turned = turned_text(text, what=path)
        if turned is not None:
            raise _refuse(turned)


def _shown_texts(value: Any, shape: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each text that the shape names, with its place; what it does not name is data, shown as it was sent."""
    shape = shape.shape if isinstance(shape, Optional) else shape
    if isinstance(shape, Mapping):
        for key, inner in shape.items() if isinstance(value, Mapping) else ():
            yield from _shown_texts(value.get(key), inner, f"{path}.{key}")
    elif isinstance(value, str):
        yield path, value
