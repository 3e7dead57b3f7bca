"""What the routes of support bundles and of the summary take and give (RFC-0023, dpm-api §7, §9.2)."""

from __future__ import annotations

from lotus_web.api.endpoint.params import Answer, QueryParams, Stamp
from lotus_web.api.rebalance.schemas.decisions import GateHistoryBody
from lotus_web.api.rebalance.schemas.idempotency import KeyHistoryBody
from lotus_web.api.rebalance.schemas.lineage import LineageBody
from lotus_web.api.rebalance.schemas.operations import OperationBody
from lotus_web.api.rebalance.schemas.runs import ArtifactBody, RunBody


class BundleParams(QueryParams):
    """Which parts of a bundle to leave out."""

    include_artifact: bool = True
    include_async_operation: bool = True
    include_idempotency_history: bool = True


class SupportBundleBody(Answer):
    """A run with everything recorded about it."""

    run: RunBody
    artifact: ArtifactBody | None
    async_operation: OperationBody | None
    workflow_history: GateHistoryBody
    lineage: LineageBody
    idempotency_history: KeyHistoryBody | None


class OperationBundleBody(SupportBundleBody):
    """The first run of an operation with everything recorded about it, and the ids of the operation's other runs."""

    related_run_ids: list[str]


class SummaryBody(Answer):
    """Counts of what the store holds; maps have only the values that occur."""

    store_backend: str
    retention_days: int
    run_count: int
    operation_count: int
    operation_status_counts: dict[str, int]
    run_status_counts: dict[str, int]
    workflow_decision_count: int
    workflow_action_counts: dict[str, int]
    workflow_reason_code_counts: dict[str, int]
    lineage_edge_count: int
    proposal_count: int
    proposal_state_counts: dict[str, int]
    oldest_run_created_at: Stamp | None
    newest_run_created_at: Stamp | None
    oldest_operation_created_at: Stamp | None
    newest_operation_created_at: Stamp | None
