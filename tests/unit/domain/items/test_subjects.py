"""What an item is about: known from the event that opens it and from its fields; its id is only built of them."""

from __future__ import annotations

from typing import Any

import pytest

from lotus_web.domain.events.envelope import OWN_PRODUCER, SOURCE, EventDraft, EventSource, EventType
from lotus_web.domain.events.opening import OPENING, opened_by
from lotus_web.domain.items.subjects import EXCEPTIONS, SUBJECTS, SubjectType, item_id, item_id_as_stored
from tests.support.histories import NOW, STARTED, requested, review_requested

ELSEWHERE = EventSource(system="credit", producer_id="credit-producer")
A_PROPOSAL = {"subject_type": "proposal", "subject_id": "pp_1"}


def sent(event_type: EventType, payload: dict[str, Any], source: EventSource) -> EventDraft:
    actor = {"actor_type": "service_account", "actor_id": "bot"}
    return EventDraft("evt-1", "default", "trace-1", event_type, NOW, source, actor, "key-1", payload)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (SubjectType.RUN, "corr:1:exception:rr_1"),
        (SubjectType.EXCEPTION, "corr:1:exception:rr_1"),
        (SubjectType.TRACE_REVIEW, "corr:1:trace_review:rr_1"),
        (SubjectType.PROPOSAL, "corr:1:proposal:rr_1"),
    ],
)
def test_an_item_id_names_trace_kind_and_subject(subject: SubjectType, expected: str) -> None:
    assert item_id("corr:1", subject, "rr_1") == expected
    assert item_id_as_stored("corr:1", SUBJECTS[subject].stored, "rr_1") == expected


@pytest.mark.parametrize(
    ("event_type", "payload", "source", "subject"),
    [
        (EventType.EXCEPTION_REQUESTED, requested(), SOURCE, SubjectType.RUN),
        (EventType.EXCEPTION_REQUESTED, requested(), ELSEWHERE, SubjectType.EXCEPTION),
        (EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(), SOURCE, SubjectType.TRACE_REVIEW),
        (EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(), ELSEWHERE, SubjectType.TRACE_REVIEW),
        (EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(subject=A_PROPOSAL), SOURCE, SubjectType.PROPOSAL),
        # Another system can name a proposal, but only this deployment's own submission opens its review.
        (
            EventType.WORKFLOW_REVIEW_REQUESTED,
            review_requested(subject=A_PROPOSAL),
            ELSEWHERE,
            SubjectType.TRACE_REVIEW,
        ),
        (EventType.TRACE_STARTED, STARTED, SOURCE, None),
    ],
)
def test_type_producer_and_subject_of_an_event_say_what_it_opens(
    event_type: EventType, payload: dict[str, Any], source: EventSource, subject: SubjectType | None
) -> None:
    draft = sent(event_type, payload, source)
    assert (draft.producer_id == OWN_PRODUCER) is (source is SOURCE)
    assert opened_by(draft) is subject
    assert (event_type in OPENING) is (subject is not None)


def test_only_a_run_has_a_gate_and_a_submitter_of_its_own() -> None:
    assert {subject for subject, spec in SUBJECTS.items() if spec.has_gate} == {SubjectType.RUN}
    assert {
        subject for subject, spec in SUBJECTS.items() if spec.stored == SUBJECTS[SubjectType.RUN].stored
    } == EXCEPTIONS
