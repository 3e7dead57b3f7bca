"""What the ``/rebalance`` routes of RFC-0017 and RFC-0020 take and give (dpm-api §6, §8, §10)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from lotus_web.api.endpoint.params import Answer, FilterText, ListParams, Stamp
from lotus_web.domain.decisions.gate import GateAction, GateStatus
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import ACTOR_MAX
from lotus_web.domain.items.transitions import REASON_CODE_MAX, TEXT_MAX, check_free_text
from lotus_web.domain.paging import Page
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.queries.decisions.history import DecisionRow
from lotus_web.queries.runs.lookup import RunRow
from lotus_web.wire.rebalance.diagnostics import Diagnostics
from lotus_web.wire.rebalance.intents import Intent
from lotus_web.wire.rebalance.result import RebalanceResult, RuleResult
from lotus_web.wire.rebalance.state import State


class RunListParams(ListParams):
    """Filters of the run list; an empty text is a value that no run has."""

    status: FilterText | None = None
    request_hash: FilterText | None = None
    portfolio_id: FilterText | None = None


class RunListItem(Answer):
    """A run without its result."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    idempotency_key: str | None
    portfolio_id: str
    status: RunStatus
    created_at: Stamp


class RunList(Answer):
    """A page of runs, newest first."""

    items: list[RunListItem]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[RunRow]) -> Self:
        """Return the page as it is sent."""
        return cls.model_validate(page)


class RunBody(Answer):
    """A run with its result."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    idempotency_key: str | None
    portfolio_id: str
    created_at: Stamp
    result: RebalanceResult


class KeyMappingBody(Answer):
    """The run that an idempotency key stands for."""

    idempotency_key: str
    request_hash: str
    rebalance_run_id: str
    created_at: Stamp


class RequestSnapshot(Answer):
    """What was asked, by its hash."""

    portfolio_id: str
    request_hash: str


class Hashes(Answer):
    """The hashes that prove an artifact."""

    request_hash: str
    artifact_hash: str


class Evidence(Answer):
    """What an artifact can be checked against."""

    engine_version: str
    run_created_at: Stamp
    hashes: Hashes


class ArtifactBody(Answer):
    """A run with its evidence; ``artifact_hash`` is over everything but keys of that name."""

    artifact_id: str
    artifact_version: str
    rebalance_run_id: str
    correlation_id: str
    idempotency_key: str | None
    portfolio_id: str
    status: RunStatus
    request_snapshot: RequestSnapshot
    before_summary: State
    after_summary: State
    order_intents: list[Intent]
    rule_outcomes: list[RuleResult]
    diagnostics: Diagnostics
    result: RebalanceResult
    evidence: Evidence


def shown_name(value: str) -> str:
    """Return an account name that can be stored and shown; raises ValueError."""
    if not value.isprintable() or value != value.strip():
        raise ValueError("must be visible characters without space at either end")
    return value


def shown_text(value: str) -> str:
    """Return what someone wrote as it is kept; raises ValueError."""
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
    actor_id: Annotated[str, StringConstraints(min_length=1, max_length=ACTOR_MAX), AfterValidator(shown_name)]


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
        """Whether an empty text is asked for, which no decision has."""
        return "" in (self.rebalance_run_id, self.actor_id, self.reason_code)


class DecisionList(Answer):
    """A page of decisions, newest first."""

    items: list[DecisionBody]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[DecisionRow]) -> Self:
        """Return the page as it is sent."""
        return cls.model_validate(page)
