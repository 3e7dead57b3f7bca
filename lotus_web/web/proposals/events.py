"""The events of a proposal as entries of a timeline, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lotus_web.domain.proposals.states import ProposalEvent
from lotus_web.queries.proposals.rows import EventRow

_E = ProposalEvent
# What the actor did, and the kind that gives the entry its mark.
TOLD = {
    _E.CREATED: ("created the proposal", "event"),
    _E.NEW_VERSION_CREATED: ("made version {number}", "event"),
    _E.SUBMITTED_FOR_RISK_REVIEW: ("submitted version {number} for risk review", "action"),
    _E.RISK_APPROVED: ("approved version {number} for risk", "decision"),
    _E.SUBMITTED_FOR_COMPLIANCE_REVIEW: ("submitted version {number} for compliance review", "action"),
    _E.COMPLIANCE_APPROVED: ("approved version {number} for compliance", "decision"),
    _E.CLIENT_CONSENT_RECORDED: ("recorded the client's consent to version {number}", "decision"),
    _E.EXECUTED: ("recorded the execution of version {number}", "decision"),
    _E.REJECTED: ("rejected version {number}", "failure"),
    _E.EXPIRED: ("let the proposal expire", "action"),
    _E.CANCELLED: ("cancelled the proposal", "action"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as components/timeline.html shows it."""

    at: datetime
    actor: str
    title: str
    body: str
    kind: str
    entry_id: str


def event_entries(events: Iterable[EventRow]) -> list[Entry]:
    """Return the entries, newest first."""
    return [_entry(row) for row in reversed(list(events))]


def _entry(row: EventRow) -> Entry:
    title, kind = TOLD.get(ProposalEvent(row.event_type), (row.event_type, "event"))
    comment = row.reason.get("comment")
    return Entry(
        at=row.occurred_at,
        actor=row.actor_id,
        title=title.format(number=row.related_version_no),
        body=comment if isinstance(comment, str) else "",
        kind=kind,
        entry_id=row.event_id,
    )
