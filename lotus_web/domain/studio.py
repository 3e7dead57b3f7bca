"""The studio's rules: templates of reviews, what speaks for one, and how urgent it would be (workflow.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lotus_web.domain.access import Role
from lotus_web.domain.errors import NotFound
from lotus_web.domain.items.precedents import Precedents
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType
from lotus_web.domain.items.values import Priority, WorkflowKind
from lotus_web.domain.sentences import Sentence

UNFAVOURABLE = frozenset({"failure", "abandoned"})


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of review that a person can ask for: how urgent, how many hours, whose."""

    template_id: str
    title: str
    priority: Priority
    sla_hours: int
    role: Role
    workflow_kind: WorkflowKind = WorkflowKind.INCIDENT_REVIEW


TEMPLATES: Mapping[str, Template] = {
    one.template_id: one
    for one in (
        Template("incident_triage", "Incident triage", Priority.HIGH, 2, Role.ADMIN),
        Template("exception_follow_up", "Exception follow-up", Priority.URGENT, 1, Role.ADMIN),
        Template("precedent_gap_review", "Precedent gap review", Priority.NORMAL, 6, Role.REVIEWER),
    )
}


class Signal(StrEnum):
    """Something about a trace that a person should weigh."""

    EXCEPTION_REQUESTED = "exception_requested"
    UNFAVOURABLE_OUTCOME = "unfavourable_outcome"
    TRACE_ACTIVE = "trace_active"
    NO_CLOSE_PRECEDENTS = "no_close_precedents"
    PRECEDENT_DIVERGENCE = "precedent_divergence"


SIGNAL_TEXT: Mapping[Signal, str] = {
    Signal.EXCEPTION_REQUESTED: "an exception was requested",
    Signal.UNFAVOURABLE_OUTCOME: "the outcome is unfavourable",
    Signal.TRACE_ACTIVE: "the trace is still active",
    Signal.NO_CLOSE_PRECEDENTS: "nothing like it was decided before",
    Signal.PRECEDENT_DIVERGENCE: "like cases ended differently",
}
_URGENT = {Signal.EXCEPTION_REQUESTED, Signal.UNFAVOURABLE_OUTCOME}
_HIGH = {Signal.TRACE_ACTIVE, Signal.PRECEDENT_DIVERGENCE}


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """What the rules need to know of a trace; ``outcome`` is None while it is active."""

    trace_id: str
    title: str
    exception_requested: bool
    outcome: str | None
    precedents: Precedents

    @property
    def unfavourable(self) -> bool:
        """Whether the trace ended badly."""
        return self.outcome in UNFAVOURABLE


def template_named(template_id: str) -> Template:
    """Return a template; raises NotFound."""
    template = TEMPLATES.get(template_id)
    if template is None:
        raise NotFound(
            "not_found",
            Sentence("There is no template {template_id}.", template_id=template_id),
            details={"templates": list(TEMPLATES)},
        )
    return template


def default_template(facts: TraceFacts) -> Template:
    """Return the template that fits a trace best."""
    if facts.exception_requested:
        return TEMPLATES["exception_follow_up"]
    return TEMPLATES["incident_triage" if facts.unfavourable else "precedent_gap_review"]


def signals_of(facts: TraceFacts) -> tuple[Signal, ...]:
    """Return what speaks for a review, gravest first."""
    found = {
        Signal.EXCEPTION_REQUESTED: facts.exception_requested,
        Signal.UNFAVOURABLE_OUTCOME: facts.unfavourable,
        Signal.TRACE_ACTIVE: facts.outcome is None,
        Signal.PRECEDENT_DIVERGENCE: facts.precedents.divergent,
        Signal.NO_CLOSE_PRECEDENTS: not facts.precedents.close,
    }
    return tuple(signal for signal, there in found.items() if there)


def priority_for(signals: Sequence[Signal]) -> Priority:
    """Return how urgent the signals make a review: urgent, high, else normal."""
    if _URGENT & set(signals):
        return Priority.URGENT
    return Priority.HIGH if _HIGH & set(signals) else Priority.NORMAL


def recommended_reason(facts: TraceFacts, signals: Sequence[Signal]) -> str:
    """Return the sentence that the draft begins with."""
    if not signals:
        return f"A second look at {facts.title}."
    words = [SIGNAL_TEXT[signal] for signal in signals]
    said = ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
    return f"{facts.title}: {said}."


@dataclass(frozen=True, slots=True)
class Draft:
    """The item as it would be, started now."""

    workflow_id: str
    trace_id: str
    template: Template
    title: str
    priority: Priority
    reason: str
    sla_hours: int
    sla_due_at: datetime

    @property
    def subject(self) -> dict[str, str]:
        """What the item would be about, as events and JSON name it."""
        return {"subject_type": SUBJECTS[SubjectType.TRACE_REVIEW].stored, "subject_id": self.template.template_id}
