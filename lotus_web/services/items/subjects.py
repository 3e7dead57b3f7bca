"""What a decision rests on and what it does to its subject: one entry a kind (domain/items/subjects.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.items.actions import ACTIONS, Verdict
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence, SubjectType
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.support import Counter
from lotus_web.models import Decision, ProposalEventRow, Run
from lotus_web.models.events.opening import opening_of
from lotus_web.services.items import proposals
from lotus_web.services.items.action_records import ReviewCase, decision_row
from lotus_web.services.lineage import add_edge
from lotus_web.services.runs.evidence import check_as_recorded
from lotus_web.services.support import count

# What a decision leaves at its subject: the decision of RFC-0020 on a run, the event of a proposal.
Decided = Decision | ProposalEventRow


@dataclass(frozen=True, slots=True)
class SubjectHandler:
    """How a kind of subject takes part in an action, in its transaction.

    ``evidence`` reads what the decision rests on. ``decide`` records the action at the subject and returns what it left there,
    None for an action that decides nothing; ``conclude`` follows once the item has moved and the log says so.
    """

    evidence: Callable[[Session, ItemState], Evidence]
    decide: Callable[[Session, ReviewCase], Decided | None]
    conclude: Callable[[Session, ReviewCase, Any], None] = lambda _session, _case, _decided: None


def _run_evidence(session: Session, item: ItemState) -> Evidence:
    run = session.get(Run, (item.tenant_id, item.rebalance_run_id))
    if run is None:
        return Evidence()
    return Evidence(run.artifact_hash, run.submitted_by, principals=principals_of(run.acted_by))


def _decide_run(session: Session, case: ReviewCase) -> Decision | None:
    """Record a decision with its edge and its counters; None for an action that is no decision at the gate.

    Raises Conflict ``EVIDENCE_MISMATCH`` for an approval or override of what is not as it was recorded.
    """
    approval, run_id = ACTIONS[case.asked.action].approval, case.item.rebalance_run_id
    if approval is not None and approval.verdict is not Verdict.REJECTED and run_id is not None:
        check_as_recorded(session, case.item.tenant_id, run_id)
    decision = decision_row(case)
    if decision is None:
        return None
    session.add(decision)
    count(session, decision.tenant_id, Counter.DECISION_ACTIONS, decision.action)
    count(session, decision.tenant_id, Counter.DECISION_REASONS, decision.reason_code)
    add_edge(
        session,
        EdgeType.DECIDED_BY,
        (EntityKind.RUN, decision.run_id),
        (EntityKind.DECISION, decision.decision_id),
        tenant_id=decision.tenant_id,
        now=case.context.now,
        metadata={"action": decision.action},
    )
    return decision


def _opening_evidence(session: Session, item: ItemState) -> Evidence:
    opening = opening_of(session, item.tenant_id, item.created_from_event_id)
    return Evidence(recorded_by=opening.posted_by, principals=opening.principals)


# A subject that is stored nowhere else has nothing to change; what is known of it is who opened its item.
_ITEM_ALONE = SubjectHandler(evidence=_opening_evidence, decide=lambda _session, _case: None)

HANDLERS: Mapping[SubjectType, SubjectHandler] = {
    SubjectType.RUN: SubjectHandler(evidence=_run_evidence, decide=_decide_run),
    SubjectType.EXCEPTION: _ITEM_ALONE,
    SubjectType.TRACE_REVIEW: _ITEM_ALONE,
    SubjectType.PROPOSAL: SubjectHandler(
        evidence=proposals.evidence, decide=proposals.decide, conclude=proposals.conclude
    ),
}
