"""Deadlines: how a due time is computed, and what the defaults of a deployment say (workflow.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from lotus_web.domain.items.values import WorkflowKind

SLA_SETTING: Mapping[WorkflowKind, str] = {
    WorkflowKind.EXCEPTION_REVIEW: "LOTUS_EXCEPTION_REVIEW_SLA_HOURS",
    WorkflowKind.INCIDENT_REVIEW: "LOTUS_INCIDENT_REVIEW_SLA_HOURS",
    WorkflowKind.PROPOSAL_REVIEW: "LOTUS_PROPOSAL_REVIEW_SLA_HOURS",
}


@dataclass(frozen=True, slots=True)
class WorkflowDefaults:
    """The settings that shape a new item; stored with each event so that a rebuild gives the same item.

    Events of earlier versions lack what was added since: each new field has the default that held before it was a setting.
    """

    exception_review_sla_hours: int = 4
    incident_review_sla_hours: int = 2
    assigned_role: str = "reviewer"
    escalation_role: str = "manager"
    escalation_account_id: str | None = None
    proposal_review_sla_hours: int = 4

    def as_dict(self) -> dict[str, Any]:
        """The stored shape."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> WorkflowDefaults:
        """Read the stored shape."""
        return cls(**stored)

    def sla_hours(self, kind: WorkflowKind) -> int:
        """Hours that an item of this kind has."""
        match kind:
            case WorkflowKind.EXCEPTION_REVIEW:
                return self.exception_review_sla_hours
            case WorkflowKind.INCIDENT_REVIEW:
                return self.incident_review_sla_hours
            case WorkflowKind.PROPOSAL_REVIEW:
                return self.proposal_review_sla_hours


def due_at(start: datetime, hours: int) -> datetime:
    """Return the instant by which an item that started its clock at ``start`` must be decided."""
    return start + timedelta(hours=hours)


def explain_due(start: datetime, hours: int, source: str) -> dict[str, Any]:
    """Return how a due time came to be, for the item's page."""
    return {"clock_started_at": start.isoformat(timespec="microseconds"), "hours": hours, "source": source}
