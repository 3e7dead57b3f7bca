"""What pages and JSON read of the subject of an item: one entry a kind (domain/items/subjects.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence, SubjectType
from lotus_web.models import Run
from lotus_web.queries.runs.page import RunDetail, find_run_detail

# What the page of an item shows of its subject; a further kind adds its own.
SubjectDetail = RunDetail


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What a decision rests on, and the status of the subject; empty where there is no subject besides the item."""

    evidence: Evidence
    status: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectReader:
    """How a kind of subject is read: in short, or with all that its page shows (None where that is not, or no longer, stored)."""

    facts: Callable[[Session, ItemState], SubjectFacts]
    page: Callable[[Session, ItemState], tuple[Evidence, SubjectDetail | None]]


def _run_facts(session: Session, item: ItemState) -> SubjectFacts:
    run = session.get(Run, (item.tenant_id, item.rebalance_run_id))
    return (
        SubjectFacts(Evidence())
        if run is None
        else SubjectFacts(Evidence(run.artifact_hash, run.submitted_by), run.status)
    )


def _run_page(session: Session, item: ItemState) -> tuple[Evidence, RunDetail | None]:
    detail = find_run_detail(session, item.tenant_id, str(item.rebalance_run_id))
    if detail is None:
        return Evidence(), None
    return Evidence(detail.run.artifact_hash, detail.run.submitted_by), detail


_ITEM_ALONE = SubjectReader(
    facts=lambda _session, _item: SubjectFacts(Evidence()), page=lambda _session, _item: (Evidence(), None)
)

READERS: Mapping[SubjectType, SubjectReader] = {
    SubjectType.RUN: SubjectReader(facts=_run_facts, page=_run_page),
    SubjectType.EXCEPTION: _ITEM_ALONE,
    SubjectType.TRACE_REVIEW: _ITEM_ALONE,
}
