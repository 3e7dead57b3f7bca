"""What a decision on a proposal's item does to the proposal (services/items/subjects.py): the same, whichever surface decides."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.accounts.acting import principals_of
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Verdict
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.proposals.reviews import reviewed_version
from lotus_web.domain.proposals.rules import check_transition
from lotus_web.domain.proposals.states import IN_REVIEW, ProposalEvent, approval_due
from lotus_web.domain.sentences import Sentence
from lotus_web.models import ProposalEventRow, ProposalVersion
from lotus_web.services.items.action_records import AtSubject, ReviewCase
from lotus_web.services.proposals.events import OUTCOMES, append_proposal_events, step_taken
from lotus_web.services.proposals.records import record_approval, record_event
from lotus_web.services.proposals.standing import lock_proposal


def evidence(session: Session, item: ItemState) -> Evidence:
    """Return what a decision rests on: the version that the item is about and who made it. Versions never change."""
    number = reviewed_version(item)
    version = None if number is None else session.get(ProposalVersion, (item.tenant_id, item.subject_id, number))
    if version is None:
        return Evidence()
    principals = principals_of(version.acted_by)
    return Evidence(version.artifact_hash, version.created_by, version.version_no, version.recorded_by, principals)


def decide(session: Session, case: ReviewCase) -> ProposalEventRow | None:
    """Record the approval or the rejection of the current version and move the proposal; None for an action that is neither.

    Raises NotFound for a proposal that is gone and Conflict where it is not under review, which its open item rules out.
    """
    verdict = ACTIONS[case.asked.action].approval
    if verdict is None:
        return None
    given = case.asked.at_subject or AtSubject(_details(case))
    loaded = given.loaded or lock_proposal(session, case.item.tenant_id, case.item.subject_id)
    standing, approval = loaded.standing, approval_due(loaded.standing.state)
    under_review = standing.state in IN_REVIEW and standing.version_no == reviewed_version(case.item)
    if not under_review or approval is None:
        sentence = Sentence("This version is not under review: {action} is not possible now.", action=case.asked.action)
        raise Conflict("invalid_transition", sentence, details={"state": standing.state.value})
    if given.as_approval:
        approved = verdict.verdict is Verdict.APPROVED
        return record_approval(session, loaded, approval, case.context, approved=approved, details=given.details)
    after = check_transition(standing, ProposalEvent.REJECTED)
    return record_event(session, loaded, ProposalEvent.REJECTED, after, case.context, reason=given.details)


def _details(case: ReviewCase) -> dict[str, Any]:
    """Return what the approval of a person in the inbox says of itself."""
    said = {"comment": case.asked.text, "reason_code": case.asked.reason_code, "evidence": case.asked.evidence}
    return {name: value for name, value in said.items() if value}


def conclude(session: Session, case: ReviewCase, decided: ProposalEventRow) -> None:
    """Say in the log what follows from a decision besides itself: a rejected proposal has ended."""
    if decided.to_state not in OUTCOMES:
        return
    key = (decided.tenant_id, decided.proposal_id, decided.related_version_no)
    told = step_taken(session.get_one(ProposalVersion, key), decided)
    append_proposal_events(session, decided.proposal_id, decided.event_id, told, case.context)
