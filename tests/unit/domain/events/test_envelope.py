"""Events: what payloads must hold, the wire envelope, and the hash of an entry in its place (workflow.md §1)."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.canonical import canonical_json, content_hash
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.events.envelope import (
    EARLIEST,
    GENESIS,
    LATEST,
    EventSource,
    EventType,
    check_draft,
    entry_content_hash,
    entry_hash,
    envelope,
    link_hash,
)
from lotus_web.domain.events.payloads import PAYLOAD_MAX_BYTES, SHAPES, Leaf, Open, Optional, check_payload
from tests.support.histories import NOW, STARTED, approved, event, requested, review_requested

POLICY = {"policy_id": "p", "policy_version": "1"}
GOOD: dict[EventType, dict[str, Any]] = {
    EventType.TRACE_STARTED: STARTED,
    EventType.INPUT_OBSERVED: {
        "input_id": "i",
        "source": {"system": "s", "object_type": "t", "object_id": "o"},
        "facts": [1],
    },
    EventType.ENTITY_OBSERVED: {"entity": {"entity_type": "t", "entity_id": "e"}, "role": "related", "facts": {}},
    EventType.POLICY_EVALUATED: {"policy": POLICY, "inputs": {}, "decision": "deny"},
    EventType.EXCEPTION_REQUESTED: requested(),
    EventType.APPROVAL_RECORDED: approved("exception", "ex-1"),
    EventType.WORKFLOW_REVIEW_REQUESTED: review_requested(),
    EventType.PRECEDENT_CITED: {"cited_trace_id": "t", "reason": "r"},
    EventType.ACTION_PROPOSED: {"action_id": "a"},
    EventType.ACTION_COMMITTED: {"action_id": "a"},
    EventType.TRACE_FINISHED: {"outcome": "abandoned"},
}


def leaves(shape: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for key, inner in shape.items():
        if isinstance(inner, dict):
            found.append(((*path, key), inner))
            found += leaves(inner, (*path, key))
        else:
            found.append(((*path, key), inner))
    return found


EVERY_KEY = [(kind, path, leaf) for kind, shape in SHAPES.items() for path, leaf in leaves(shape)]


def with_value(payload: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(payload)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("event_type", EventType)
def test_every_kind_has_a_shape_and_a_good_payload_passes(event_type: EventType) -> None:
    check_payload(event_type, GOOD[event_type])


@pytest.mark.parametrize(("event_type", "path", "leaf"), EVERY_KEY)
def test_each_required_key_is_required_and_each_other_may_be_null(
    event_type: EventType, path: tuple[str, ...], leaf: Any
) -> None:
    without = with_value(GOOD[event_type], path, None)
    if isinstance(leaf, (Open, Optional)):
        check_payload(event_type, without)
        return
    with pytest.raises(InvalidInput) as refused:
        check_payload(event_type, without)
    assert refused.value.code == "invalid_argument"
    assert refused.value.message == f"payload.{'.'.join(path)} is required"


@pytest.mark.parametrize(
    ("event_type", "path", "leaf"), [case for case in EVERY_KEY if getattr(case[2], "words", "") != "anything"]
)
@pytest.mark.parametrize("wrong", [7.5, [], True], ids=repr)
def test_a_key_of_another_kind_is_refused(event_type: EventType, path: tuple[str, ...], leaf: Any, wrong: Any) -> None:
    with pytest.raises(InvalidInput):
        check_payload(event_type, with_value(GOOD[event_type], path, wrong))


@pytest.mark.parametrize("blank", ["", "   ", "\n"])
def test_blank_text_is_no_text(blank: str) -> None:
    with pytest.raises(InvalidInput, match="non-empty"):
        check_payload(EventType.TRACE_STARTED, {**STARTED, "title": blank})


@pytest.mark.parametrize("bad", ["a\x00b", "\udc00"])
@pytest.mark.parametrize("place", [("reason",), ("note",), ("evidence", "deep"), ("list",)])
def test_text_that_a_store_would_refuse_is_refused_wherever_it_stands(bad: str, place: tuple[str, ...]) -> None:
    value: Any = {place[1]: {"deeper": [bad]}} if len(place) > 1 else ([bad] if place == ("list",) else bad)
    with pytest.raises(InvalidInput, match="cannot be stored"):
        check_payload(EventType.EXCEPTION_REQUESTED, {**requested(), place[0]: value})
    with pytest.raises(InvalidInput, match="cannot be stored"):
        check_payload(EventType.EXCEPTION_REQUESTED, {**requested(), "more": {bad: 1}})


def test_a_payload_is_bounded_and_the_bound_is_the_canonical_size() -> None:
    room = PAYLOAD_MAX_BYTES - len(canonical_json({**requested(), "note": ""}))
    check_payload(EventType.EXCEPTION_REQUESTED, {**requested(), "note": "x" * room})
    with pytest.raises(InvalidInput, match="64 KiB"):
        check_payload(EventType.EXCEPTION_REQUESTED, {**requested(), "note": "x" * (room + 1)})


def test_a_payload_nested_without_end_is_refused_and_does_not_crash() -> None:
    deep: Any = "bottom"
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        check_payload(EventType.EXCEPTION_REQUESTED, {**requested(), "deep": deep})


@pytest.mark.parametrize("hours", [0, -1, 10**9, True, "2", 2.0])
def test_hours_that_no_clock_could_run_are_refused(hours: Any) -> None:
    with pytest.raises(InvalidInput, match="sla_hours"):
        check_payload(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(sla_hours=hours))


def test_hours_may_be_left_to_the_deployment_but_not_out() -> None:
    check_payload(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(sla_hours=None))
    silent = {key: value for key, value in review_requested().items() if key != "sla_hours"}
    with pytest.raises(InvalidInput, match="sla_hours is required"):
        check_payload(EventType.WORKFLOW_REVIEW_REQUESTED, silent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", ""),
        ("event_id", "e" * 256),
        ("trace_id", "a\x00"),
        ("trace_id", "t" * 266),
        ("idempotency_key", " "),
        ("source", EventSource("", "producer")),
        ("source", EventSource("system", "\ud800")),
        ("actor", {"actor_type": "person"}),
        ("actor", {"actor_type": 7, "actor_id": "x"}),
        ("correlation_id", "c" * 266),
        ("causation_event_id", "\x00"),
        ("occurred_at", EARLIEST - timedelta(microseconds=1)),
        ("occurred_at", LATEST),
    ],
)
def test_an_envelope_that_could_not_be_stored_or_ordered_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_draft(event(EventType.TRACE_STARTED, STARTED, **{name: value}))
    assert refused.value.code == "invalid_argument"


def hash_of(draft: Any, *, prev: str = GENESIS, recorded: Any = NOW, defaults: Any = None, seq: int = 0) -> str:
    return entry_hash(
        envelope(draft, trace_seq=seq),
        payload_hash=content_hash(draft.payload),
        prev_hash=prev,
        recorded_at=recorded,
        applied_defaults=defaults or {},
    )


CHANGES: list[dict[str, Any]] = [
    {"event_id": "other"},
    {"tenant_id": "other"},
    {"trace_id": "other"},
    {"event_type": EventType.TRACE_FINISHED},
    {"occurred_at": NOW + timedelta(microseconds=1)},
    {"source": EventSource("credit-desk", "credit-producer", "sub")},
    {"actor": {"actor_type": "person", "actor_id": "x"}},
    {"idempotency_key": "other"},
    {"payload": {**STARTED, "title": "other"}},
    {"correlation_id": "c"},
    {"causation_event_id": "c"},
    {"schema_version": 2},
    {"tags": ("t",)},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_whatever_changes_in_an_event_changes_its_hash(change: dict[str, Any]) -> None:
    same = {"event_id": "e", "idempotency_key": "k"}
    one = event(EventType.TRACE_STARTED, STARTED, **same)
    other = replace(one, **change)
    assert hash_of(one) != hash_of(other)


def test_place_time_of_recording_and_defaults_are_in_the_hash_too() -> None:
    draft = event(EventType.TRACE_STARTED, STARTED)
    hashes = {
        hash_of(draft),
        hash_of(draft, prev=content_hash("another")),
        hash_of(draft, recorded=NOW + timedelta(microseconds=1)),
        hash_of(draft, defaults={"assigned_role": "admin"}),
        hash_of(draft, seq=1),
    }
    assert len(hashes) == 5


@given(st.text(), st.text())
def test_an_entry_hash_is_the_link_of_its_content_to_the_entry_before(title: str, prev: str) -> None:
    draft = event(EventType.TRACE_STARTED, {**STARTED, "title": title})
    document = envelope(draft, trace_seq=0)
    content = entry_content_hash(
        {key: canonical_json(value) for key, value in document.items() if key != "payload"},
        payload_hash=content_hash(draft.payload),
        recorded_at=canonical_json(NOW),
        applied_defaults="{}",
    )
    assert link_hash(content, prev) == hash_of(draft, prev=prev)


def test_every_leaf_says_what_it_wants() -> None:
    words = [inner.words for _, _, leaf in EVERY_KEY if isinstance(inner := getattr(leaf, "shape", leaf), Leaf)]
    assert all(words)
