"""What the routes of runs, artifacts and replays take and give (dpm-api §6, §10)."""

from __future__ import annotations

from typing import Any, Self

from lotus_web.api.endpoint.params import Answer, FilterText, ListParams, Stamp
from lotus_web.domain.paging import Page
from lotus_web.domain.rebalance.values.codes import RunStatus
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


class ChangeBody(Answer):
    """One row before and after; null where it did not exist."""

    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RunSideBody(Answer):
    """One of two runs that are compared."""

    rebalance_run_id: str
    status: RunStatus
    engine_version: str
    created_at: Stamp


class RunDiffBody(Answer):
    """What differs; ``identical`` is true where only the ids of the runs and the engine's version do."""

    before: RunSideBody
    after: RunSideBody
    identical: bool
    status_changed: bool
    targets: list[ChangeBody]
    intents: list[ChangeBody]
    rules: list[ChangeBody]


class ReplayBody(Answer):
    """The new run and how it differs from the replayed one."""

    replayed_from: str
    diff: RunDiffBody
    run: RunBody
