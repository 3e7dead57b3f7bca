"""What the routes of the review gate and of decisions take and give (RFC-0020, dpm-api §8)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from lotus_web.api.endpoint.params import ActorId, Answer, FilterText, ListParams, Stamp
from lotus_web.domain.decisions.gate import GateAction, GateStatus
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.transitions import REASON_CODE_MAX, TEXT_MAX, check_free_text
from lotus_web.domain.paging import Page
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.queries.decisions.history import DecisionRow

DIGEST_MAX = 100


def shown_text(value: str) -> str:
    """Return free text as it is stored; raises ValueError."""
    try:
        return check_free_text(value)
    except InvalidInput as wrong:
        raise ValueError(wrong.message) from None


class GateActionBody(BaseModel):
    """A decision on a run (dpm-api §8.2); ``actor_id`` is the token's account, or whom it may speak for."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={
            "example": {
                "action": "APPROVE",
                "reason_code": "REVIEW_APPROVED",
                "comment": "Within the mandate.",
                "actor_id": "reviewer_001",
            }
        },
    )

    action: GateAction
    reason_code: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=REASON_CODE_MAX)]
    comment: Annotated[str, StringConstraints(max_length=TEXT_MAX), AfterValidator(shown_text)] | None = None
    actor_id: ActorId
    evidence_digest: Annotated[str, StringConstraints(max_length=DIGEST_MAX)] | None = None


class DecisionBody(Answer):
    """One decision (RFC-0020 §4.2)."""

    decision_id: str
    run_id: str
    action: GateAction
    reason_code: str
    comment: str | None
    actor_id: str
    decided_at: Stamp
    correlation_id: str


class GateStateBody(Answer):
    """The gate of a run."""

    run_id: str
    run_status: RunStatus
    workflow_status: GateStatus
    requires_review: bool
    latest_decision: DecisionBody | None


class GateHistoryBody(Answer):
    """The decisions on a run, oldest first."""

    run_id: str
    decisions: list[DecisionBody]


class DecisionListParams(ListParams):
    """Filters of the decision list; bounds are on the time of the decision."""

    rebalance_run_id: FilterText | None = None
    action: GateAction | None = None
    actor_id: FilterText | None = None
    reason_code: FilterText | None = None

    @property
    def matches_nothing(self) -> bool:
        """Whether a filter is empty, which no decision matches."""
        return "" in (self.rebalance_run_id, self.actor_id, self.reason_code)


class DecisionList(Answer):
    """A page of decisions, newest first."""

    items: list[DecisionBody]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[DecisionRow]) -> Self:
        """Return the page as it is sent."""
        return cls.model_validate(page)
