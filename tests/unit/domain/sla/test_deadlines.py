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
    assigned_role=st.text(min_size=1),
    escalation_role=st.text(min_size=1),
    escalation_account_id=st.none() | st.text(min_size=1),
)


@given(DEFAULTS)
def test_stored_defaults_come_back_the_same(defaults: WorkflowDefaults) -> None:
    assert WorkflowDefaults.from_dict(defaults.as_dict()) == defaults


def test_each_kind_of_review_has_its_own_hours() -> None:
    defaults = WorkflowDefaults(exception_review_sla_hours=4, incident_review_sla_hours=2)
    assert defaults.sla_hours(WorkflowKind.EXCEPTION_REVIEW) == 4
    assert defaults.sla_hours(WorkflowKind.INCIDENT_REVIEW) == 2


def test_a_due_time_is_its_start_and_its_hours_and_says_so() -> None:
    assert due_at(NOW, 4) - NOW == timedelta(hours=4)
    assert explain_due(NOW, 4, "reopened") == {
        "clock_started_at": "2026-03-02T09:00:00.000000+00:00",
        "hours": 4,
        "source": "reopened",
    }
