"""Deadlines: due times and the defaults that are stored with each event."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.items.values import WorkflowKind
from lotus_web.domain.sla.deadlines import WorkflowDefaults, due_at, explain_due
from tests.support.histories import NOW

DEFAULTS = st.builds(
    WorkflowDefaults,
    exception_review_sla_hours=st.integers(1, 999),
    incident_review_sla_hours=st.integers(1, 999),
    proposal_review_sla_hours=st.integers(1, 999),
    assigned_role=st.text(min_size=1),
    escalation_role=st.text(min_size=1),
    escalation_account_id=st.none() | st.text(min_size=1),
)


@given(DEFAULTS)
def test_stored_defaults_come_back_the_same(defaults: WorkflowDefaults) -> None:
    assert WorkflowDefaults.from_dict(defaults.as_dict()) == defaults


def test_each_kind_of_review_has_its_own_hours() -> None:
    hours = {kind: number for number, kind in enumerate(WorkflowKind, start=2)}
    defaults = WorkflowDefaults(**{f"{kind.value}_sla_hours": number for kind, number in hours.items()})
    assert {kind: defaults.sla_hours(kind) for kind in WorkflowKind} == hours


def test_defaults_of_a_time_before_proposals_are_read_with_the_hours_of_today() -> None:
    stored = WorkflowDefaults(exception_review_sla_hours=9).as_dict()
    del stored["proposal_review_sla_hours"]
    assert WorkflowDefaults.from_dict(stored) == WorkflowDefaults(exception_review_sla_hours=9)


def test_a_due_time_is_its_start_and_its_hours_and_says_so() -> None:
    assert due_at(NOW, 4) - NOW == timedelta(hours=4)
    assert explain_due(NOW, 4, "reopened") == {
        "clock_started_at": "2026-03-02T09:00:00.000000+00:00",
        "hours": 4,
        "source": "reopened",
    }
