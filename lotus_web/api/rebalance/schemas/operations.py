"""What the routes of analyses and operations take and give (dpm-api §4, §5)."""

from __future__ import annotations

from typing import Literal, Self

from lotus_web.api.endpoint.params import Answer, FilterText, ListParams, Stamp
from lotus_web.domain.paging import Page
from lotus_web.queries.operations.lookup import OperationRow
from lotus_web.wire.rebalance.result import Metric, RebalanceResult

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]


class BaseSnapshotIds(Answer):
    """The snapshots that all scenarios of a batch share."""

    portfolio_snapshot_id: str
    market_data_snapshot_id: str


class BatchBody(Answer):
    """A batch: a result or a failure for each scenario."""

    batch_run_id: str
    run_at_utc: Stamp
    base_snapshot_ids: BaseSnapshotIds
    results: dict[str, RebalanceResult]
    comparison_metrics: dict[str, Metric]
    failed_scenarios: dict[str, str]
    warnings: list[str]


class AcceptedBody(Answer):
    """An operation as it was accepted, whether or not it is finished by now."""

    operation_id: str
    operation_type: str
    status: Literal["PENDING"]
    correlation_id: str
    created_at: Stamp
    status_url: str
    execute_url: str


class ProgressBody(Answer):
    """How many of the requested scenarios are done, failed ones included."""

    scenarios_done: int
    scenarios_total: int


class OperationErrorBody(Answer):
    """Why an operation failed: a stable code and a sentence."""

    code: str
    message: str


class OperationItem(Answer):
    """An operation without its result."""

    operation_id: str
    operation_type: str
    status: Status
    is_executable: bool
    correlation_id: str
    created_at: Stamp
    started_at: Stamp | None
    finished_at: Stamp | None
    progress: ProgressBody


class OperationBody(OperationItem):
    """An operation with its result, or the error that it ended with."""

    error: OperationErrorBody | None
    result: BatchBody | None


class OperationFacts(OperationItem):
    """An operation without its result, which is spliced in as it was stored."""

    error: OperationErrorBody | None


class OperationList(Answer):
    """A page of operations, newest first."""

    items: list[OperationItem]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[OperationRow]) -> Self:
        """Return the page as it is sent."""
        return cls.model_validate(page)


class OperationListParams(ListParams):
    """Filters of the list of operations; an empty text is a value that no operation has."""

    operation_type: FilterText | None = None
    status: FilterText | None = None
    correlation_id: FilterText | None = None
