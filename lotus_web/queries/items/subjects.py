"""What pages and JSON read of the subject of an item: one entry a kind (domain/items/subjects.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType, own_event_key
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence, SubjectType
from lotus_web.models import EventLogEntry, Run
from lotus_web.models.events.opening import opening_of
from lotus_web.queries.items.proposals import (
    ReviewedProposal,
    proposal_state,
    reviewed_proposal,
    version_evaluation,
    version_evidence,
)
from lotus_web.queries.runs.page import RunDetail, RunFacts, find_run_detail

# What the page of an item shows of its subject; a further kind adds its own.
SubjectDetail = RunDetail | ReviewedProposal


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What a decision rests on, and the status of the subject; empty where there is no subject besides the item."""

    evidence: Evidence
    status: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectReader:
    """How a kind of subject is read: in short, or with all that its page shows (None where that is not, or no longer, stored).

    ``evidence`` is the part of what the page shows that a decision rests on, a dataclass. ``evaluation`` is the query for what the policy said of the subject; None where only its trace can tell.
    """

    facts: Callable[[Session, ItemState], SubjectFacts]
    page: Callable[[Session, ItemState], tuple[Evidence, SubjectDetail | None]]
    evaluation: Callable[[ItemState], Select[EventLogEntry] | None]
    evidence: Callable[[Any], Any] = lambda _detail: None


def _run_facts(session: Session, item: ItemState) -> SubjectFacts:
    run = session.get(Run, (item.tenant_id, item.rebalance_run_id))
    return SubjectFacts(Evidence()) if run is None else SubjectFacts(_run_evidence(run), run.status)


def _run_page(session: Session, item: ItemState) -> tuple[Evidence, RunDetail | None]:
    detail = find_run_detail(session, item.tenant_id, str(item.rebalance_run_id))
    if detail is None:
        return Evidence(), None
    return _run_evidence(detail.run), detail


def _run_evidence(run: Run | RunFacts) -> Evidence:
    return Evidence(run.artifact_hash, run.submitted_by, principals=principals_of(run.acted_by))


def _run_evaluation(item: ItemState) -> Select[EventLogEntry]:
    """Ask for the evaluation of a run by its key: many runs may share a trace."""
    return select(EventLogEntry).where(
        EventLogEntry.tenant_id == item.tenant_id,
        EventLogEntry.producer_id == OWN_PRODUCER,
        EventLogEntry.idempotency_key == own_event_key(str(item.rebalance_run_id), EventType.POLICY_EVALUATED),
    )


def _proposal_facts(session: Session, item: ItemState) -> SubjectFacts:
    return SubjectFacts(version_evidence(session, item), proposal_state(session, item))


def _proposal_page(session: Session, item: ItemState) -> tuple[Evidence, ReviewedProposal | None]:
    found = reviewed_proposal(session, item)
    return (Evidence(), None) if found is None else (found.basis, found)


def _opening_evidence(session: Session, item: ItemState) -> Evidence:
    opening = opening_of(session, item.tenant_id, item.created_from_event_id)
    return Evidence(recorded_by=opening.posted_by, principals=opening.principals)


# What exists only as an item of the log has nothing besides it to read but who opened it.
_ITEM_ALONE = SubjectReader(
    facts=lambda session, item: SubjectFacts(_opening_evidence(session, item)),
    page=lambda session, item: (_opening_evidence(session, item), None),
    evaluation=lambda _item: None,
)

READERS: Mapping[SubjectType, SubjectReader] = {
    SubjectType.RUN: SubjectReader(
        facts=_run_facts, page=_run_page, evaluation=_run_evaluation, evidence=lambda run: run.evidence
    ),
    SubjectType.EXCEPTION: _ITEM_ALONE,
    SubjectType.TRACE_REVIEW: _ITEM_ALONE,
    SubjectType.PROPOSAL: SubjectReader(
        facts=_proposal_facts,
        page=_proposal_page,
        evaluation=version_evaluation,
        evidence=lambda reviewed: reviewed.version.evidence,
    ),
}
