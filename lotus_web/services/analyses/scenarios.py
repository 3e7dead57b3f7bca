"""Analysis: one snapshot under up to twenty sets of options, each recorded as a run of its own (dpm-api §4, engine §4).

Each scenario commits by itself, so that a failing one does not undo the others. In an operation that commit also marks the step as
done and renews the lease: the next worker continues after the last recorded scenario. A worker whose lease went to another while it
computed records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.operations import scenario_correlation, scenario_request_hash
from lotus_web.domain.policy_packs import AppliedPack
from lotus_web.domain.rebalance.comparison import comparison_metrics
from lotus_web.domain.rebalance.engine import UNNAMED_MARKET_DATA, rebalance
from lotus_web.models import OperationStep, RunPayload
from lotus_web.services.lineage import Edge, add_edges
from lotus_web.services.operations.heartbeat import heartbeat
from lotus_web.services.operations.leases import Claim, Clock, Interrupted, LeaseTerms, OperationLost, renew
from lotus_web.services.policy_packs import pack_in_force
from lotus_web.services.runs.record import ComputedRun, record_run
from lotus_web.services.runs.simulate import drawn_run_id
from lotus_web.services.runs.solver import solve
from lotus_web.store.failures import is_store_failure
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db, transaction
from lotus_web.telemetry.logs import log_unexpected
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.policy_packs import under_pack
from lotus_web.wire.rebalance.request import BatchRequestBody, RebalanceRequestBody, first_message, stored_request
from lotus_web.wire.rebalance.result import METRIC, RESULT

PARTIAL_FAILURE = "PARTIAL_BATCH_FAILURE"
RUN_PURGED = "SCENARIO_RUN_PURGED"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """The operation that a batch belongs to."""

    claim: Claim
    terms: LeaseTerms


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch being computed: its request, ids and submitter; ``held`` is None for a batch without an operation.

    Runs are recorded under ``correlation_id``, the caller's own, and the scenario's name. ``asked_under`` is the correlation id
    in the answer of a batch without an operation, sent or generated; an edge leads from it to each run.
    """

    body: BatchRequestBody
    batch_run_id: str
    correlation_id: str | None
    run_at: datetime
    actor: Actor
    policy: DeploymentPolicy
    clock: Clock
    held: Held | None = None
    pack: AppliedPack | None = None
    asked_under: str | None = None


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """One scenario's result and metric, or why it has none."""

    name: str
    result: Mapping[str, Any] | None = None
    metric: Mapping[str, Any] | None = None
    failure: str | None = None


def new_batch_id() -> str:
    """Return the id of a new batch (dpm-api §1.5)."""
    return new_id("batch_", 8)


def analyze(
    body: BatchRequestBody,
    *,
    correlation_id: str | None,
    asked_under: str,
    actor: Actor,
    policy: DeploymentPolicy,
    clock: Clock,
    policy_pack_id: str | None = None,
) -> Document:
    """Compute and record every scenario now and return the batch's document.

    ``correlation_id`` is the caller's own, None where the caller sent none; ``asked_under`` is the one of the answer.
    A failing scenario is listed in the document; only a store failure raises.
    """
    pack = pack_in_force(db.session(), policy.packs, requested=policy_pack_id, tenant_id=actor.tenant_id)
    batch = Batch(
        body, new_batch_id(), correlation_id, clock(), actor, policy, clock, pack=pack, asked_under=asked_under
    )
    return batch_document(batch, run_scenarios(batch))


def run_scenarios(batch: Batch, *, stop: Callable[[], bool] = lambda: False) -> list[ScenarioOutcome]:
    """Run the scenarios that are not done yet, in the order of names; raises Interrupted, OperationLost or a store failure."""
    done = _done_before(batch)
    outcomes = []
    for name in batch.body.scenario_names():
        if name not in done:
            if stop():
                raise Interrupted
            done[name] = _run_scenario(batch, name)
        outcomes.append(done[name])
    return outcomes


def _done_before(batch: Batch) -> dict[str, ScenarioOutcome]:
    if batch.held is None:
        return {}
    claim = batch.held.claim
    query = (
        select(OperationStep, RunPayload.result)
        .outerjoin(
            RunPayload,
            (RunPayload.tenant_id == OperationStep.tenant_id)
            & (RunPayload.rebalance_run_id == OperationStep.rebalance_run_id),
        )
        .where(OperationStep.tenant_id == claim.tenant_id, OperationStep.operation_id == claim.operation_id)
    )
    found = {}
    for step, packed in db.session.execute(query):
        result = unpack_document(packed) if packed else None
        failure = step.failure or (None if result else RUN_PURGED)
        found[step.name] = ScenarioOutcome(step.name, result, step.metric, failure)
    return found


def _run_scenario(batch: Batch, name: str) -> ScenarioOutcome:
    try:
        with _renewing_lease(batch):
            computed, metric = _compute(batch, name)
        with transaction() as session:
            _record(session, batch, name, computed, metric)
    except ValidationError as error:
        return _failed(batch, name, f"INVALID_OPTIONS: {first_message(error)}")
    except OperationLost:
        raise
    except Exception as error:
        if is_store_failure(error):
            raise
        log_unexpected(error, "scenario_failed", batch=batch.batch_run_id, scenario=name)
        return _failed(batch, name, f"SCENARIO_EXECUTION_ERROR: {type(error).__name__}")
    return ScenarioOutcome(name, computed.result, metric)


def _renewing_lease(batch: Batch) -> AbstractContextManager[None]:
    return heartbeat(batch.held.claim, batch.held.terms) if batch.held else nullcontext()


def _compute(batch: Batch, name: str) -> tuple[ComputedRun, Document]:
    """Run the engine on one scenario; raises pydantic's ValidationError for options that cannot be."""
    shared = {field: getattr(batch.body, field) for field in RebalanceRequestBody.model_fields if field != "options"}
    body = RebalanceRequestBody.model_validate({**shared, "options": batch.body.scenario_options(name)})
    digest = scenario_request_hash(batch.batch_run_id, name)
    result = rebalance(
        under_pack(body, batch.pack).to_domain(),
        run_id=drawn_run_id(batch.actor.tenant_id),
        correlation_id=scenario_correlation(batch.correlation_id, batch.batch_run_id, name),
        request_hash=digest,
        solve=solve,
    )
    computed = ComputedRun(
        request_hash=digest,
        idempotency_key=None,
        portfolio_id=body.portfolio_snapshot.portfolio_id,
        request=stored_request(body),
        result_json=RESULT.json(result),
        pack=batch.pack,
    )
    return computed, METRIC.document(comparison_metrics({name: result})[name])


def _record(session: Session, batch: Batch, name: str, computed: ComputedRun, metric: Document) -> None:
    """Store a scenario's run with its edges and, for an operation, the step that it completes; all or nothing."""
    _mark_done(session, batch, name, run_id=computed.result["rebalance_run_id"], metric=metric)
    now = batch.clock()
    run = record_run(session, computed, actor=batch.actor, now=now, policy=batch.policy)
    own = (EntityKind.RUN, run.rebalance_run_id)
    metadata = {"scenario": name}
    edges = [Edge(EdgeType.DERIVED_FROM, own, (EntityKind.BATCH, batch.batch_run_id), metadata)]
    if batch.held is not None:
        edges.append(Edge(EdgeType.CAUSED_BY, own, (EntityKind.OPERATION, batch.held.claim.operation_id), metadata))
    if batch.asked_under is not None:
        edges.append(Edge(EdgeType.CORRELATION_TO_RUN, (EntityKind.CORRELATION, batch.asked_under), own, metadata))
    add_edges(session, edges, tenant_id=run.tenant_id, now=now)


def _failed(batch: Batch, name: str, failure: str) -> ScenarioOutcome:
    if batch.held is not None:
        with transaction() as session:
            _mark_done(session, batch, name, failure=failure)
    return ScenarioOutcome(name, failure=failure)


def _mark_done(
    session: Session,
    batch: Batch,
    name: str,
    *,
    run_id: str | None = None,
    metric: Document | None = None,
    failure: str | None = None,
) -> None:
    """Mark an operation's step as done and renew its lease; raises OperationLost if another worker has it."""
    if batch.held is None:
        return
    claim = batch.held.claim
    renew(session, claim, terms=batch.held.terms, steps_done=1)
    session.add(
        OperationStep(
            tenant_id=claim.tenant_id,
            operation_id=claim.operation_id,
            name=name,
            rebalance_run_id=run_id,
            metric=metric,
            failure=failure,
        )
    )
    session.flush()


def batch_document(batch: Batch, outcomes: Iterable[ScenarioOutcome]) -> Document:
    """Return the batch's document (dpm-api §4)."""
    all_outcomes = list(outcomes)
    portfolio, market = batch.body.portfolio_snapshot, batch.body.market_data_snapshot
    failed = {outcome.name: outcome.failure for outcome in all_outcomes if outcome.failure is not None}
    return {
        "batch_run_id": batch.batch_run_id,
        "run_at_utc": batch.run_at.isoformat(timespec="microseconds"),
        "base_snapshot_ids": {
            "portfolio_snapshot_id": portfolio.snapshot_id or portfolio.portfolio_id,
            "market_data_snapshot_id": market.snapshot_id or UNNAMED_MARKET_DATA,
        },
        "results": {outcome.name: outcome.result for outcome in all_outcomes if outcome.result is not None},
        "comparison_metrics": {outcome.name: outcome.metric for outcome in all_outcomes if outcome.metric is not None},
        "failed_scenarios": failed,
        "warnings": [PARTIAL_FAILURE] if failed else [],
    }
