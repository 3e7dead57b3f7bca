"""What the page of an item shows of its subject: one entry a kind (domain/items/subjects.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.decisions.gate import gate_status
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.queries.items.page import ItemDetail
from lotus_web.queries.runs.page import RunDetail
from lotus_web.web.format.record_links import lineage_url
from lotus_web.web.support.run_panel import run_support


@dataclass(frozen=True, slots=True)
class SubjectSection:
    """The templates of a kind of subject, in the order of the page, and what they are given.

    ``facts`` are the strip at the top, ``why`` says what asked for the review, ``evidence`` shows what a decision rests
    on, ``follow_up`` leads on from it, ``record`` tells what is stored.
    """

    why: str
    facts: str | None = None
    evidence: str | None = None
    follow_up: str | None = None
    record: str | None = None
    context: Callable[[Session, ItemDetail, Any], dict[str, Any]] = lambda _session, _detail, _about: {}


def _run_context(session: Session, detail: ItemDetail, run: RunDetail) -> dict[str, Any]:
    required = current.policy().requires_review(run.run.status)
    return {
        "run": run,
        "gate": gate_status(required=required, item_status=detail.item.status),
        "support": run_support(session, detail.item.tenant_id, run.run.rebalance_run_id),
    }


_ITEM_ALONE = SubjectSection(why="items/_why_events.html")

SECTIONS: Mapping[SubjectType, SubjectSection] = {
    SubjectType.RUN: SubjectSection(
        why="runs/_why.html",
        facts="runs/_facts.html",
        evidence="runs/_evidence_of_item.html",
        follow_up="support/_run_panel.html",
        record="runs/_record.html",
        context=_run_context,
    ),
    SubjectType.EXCEPTION: _ITEM_ALONE,
    SubjectType.TRACE_REVIEW: _ITEM_ALONE,
    SubjectType.PROPOSAL: SubjectSection(
        why="proposals/_why_of_item.html",
        facts="proposals/_facts.html",
        evidence="proposals/_evidence_of_item.html",
        record="proposals/_record.html",
        context=lambda _session, _detail, about: {
            "reviewed": about,
            "version": about.version,
            "proposal_pages": PROPOSALS.is_on,
            "lineage": lineage_url(about.version.row.proposal_id),
        },
    ),
}


def subject_context(session: Session, detail: ItemDetail) -> dict[str, Any]:
    """Return the section of an item's subject and what its templates need; what is not stored any more has the item alone."""
    if detail.about is None:
        return {"section": _ITEM_ALONE}
    section = SECTIONS[detail.item.subject]
    return {"section": section, **section.context(session, detail, detail.about)}
