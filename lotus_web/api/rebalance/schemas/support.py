"""What the routes of lineage, bundles, summary, key history, replay and legal hold take and give (dpm-api §6, §7, §9)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from lotus_web.api.endpoint.params import Answer, FilterText, ListParams, QueryParams, Stamp
from lotus_web.api.rebalance.schemas.operations import OperationBody
from lotus_web.api.rebalance.schemas.runs import ArtifactBody, GateHistoryBody, RunBody, shown_name
from lotus_web.domain.identifiers import ACTOR_MAX
from lotus_web.domain.rebalance.values.codes import RunStatus
from lotus_web.domain.retention import REASON_MAX
from lotus_web.queries.lineage import DEEPEST


class LineageParams(ListParams):
    """Filters of edges; ``edge_type`` ignores case and an unknown one matches nothing."""

    edge_type: FilterText | None = None
    depth: Annotated[
        int, Field(ge=1, le=DEEPEST, description="how many steps to walk; the filters choose what is shown of the walk")
    ] = 1


class EdgeBody(Answer):
    """One edge, read as *source* type *target*."""

    source_entity_id: str
    source_kind: str
    edge_type: str
    target_entity_id: str
    target_kind: str
    created_at: Stamp
    metadata: dict[str, Any]


class LineageBody(Answer):
    """The edges of an id, oldest first; with a depth above 1 also ``depth`` and ``truncated`` (see LineageWalkBody)."""

    entity_id: str
    edges: list[EdgeBody]
    next_cursor: str | None


class LineageWalkBody(LineageBody):
    """The edges within some steps of an id; ``truncated`` tells that there are more than a walk may carry."""

    depth: int
    truncated: bool


class BundleParams(QueryParams):
    """Which parts of a bundle to leave out."""

    include_artifact: bool = True
    include_async_operation: bool = True
    include_idempotency_history: bool = True


class HistoryEntryBody(Answer):
    """One recording or replay under a key."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    created_at: Stamp


class KeyHistoryBody(Answer):
    """What a key has stood for, oldest first."""

    idempotency_key: str
    history: list[HistoryEntryBody]


class SupportBundleBody(Answer):
    """A run with what hangs together with it."""

    run: RunBody
    artifact: ArtifactBody | None
    async_operation: OperationBody | None
    workflow_history: GateHistoryBody
    lineage: LineageBody
    idempotency_history: KeyHistoryBody | None


class OperationBundleBody(SupportBundleBody):
    """The first run of an operation with what hangs together with it, and the operation's other runs."""

    related_run_ids: list[str]


class SummaryBody(Answer):
    """How much the store holds; maps have only values that were seen."""

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
    oldest_run_created_at: Stamp | None
    newest_run_created_at: Stamp | None
    oldest_operation_created_at: Stamp | None
    newest_operation_created_at: Stamp | None


class ChangeBody(Answer):
    """One thing before and after; null where it was not there."""

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
    """What differs; ``identical`` is true where nothing does beyond the names of the runs and the engine's version."""

    before: RunSideBody
    after: RunSideBody
    identical: bool
    status_changed: bool
    targets: list[ChangeBody]
    intents: list[ChangeBody]
    rules: list[ChangeBody]


class ReplayBody(Answer):
    """The new run and how it differs from the one that it replays."""

    replayed_from: str
    diff: RunDiffBody
    run: RunBody


class LegalHoldRequest(BaseModel):
    """Setting or lifting a hold; ``actor_id`` is the token's account, or whom it may speak for."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={
            "example": {"action": "SET", "reason": "Court order 7 of 2 March", "actor_id": "ada.osei"},
        },
    )

    action: Literal["SET", "LIFT"]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    actor_id: Annotated[str, StringConstraints(min_length=1, max_length=ACTOR_MAX), AfterValidator(shown_name)]


class HoldEntryBody(Answer):
    """One setting or lifting."""

    entry_type: Literal["HOLD_SET", "HOLD_LIFTED"]
    actor_id: str
    reason: str
    recorded_at: Stamp


class LegalHoldBody(Answer):
    """Whether a run is held, and every setting and lifting, oldest first."""

    rebalance_run_id: str
    legal_hold: bool
    history: list[HoldEntryBody]
