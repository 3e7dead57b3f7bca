"""One operation for its page: its request, its progress, and the result of each scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.operations import OperationFamily
from lotus_web.models import OperationPayload, OperationStep, Run
from lotus_web.queries.deliveries.undelivered import DeliveryRow, callback_of
from lotus_web.queries.operations.lookup import (
    REBALANCES,
    Families,
    OperationRow,
    StoredOperation,
    no_such_operation,
    stored_operation,
)
from lotus_web.wire.packed import unpack_document


@dataclass(frozen=True, slots=True)
class ScenarioFigures:
    """The outcome of a scenario: the status of its run, its orders in securities, and their turnover in the base currency."""

    status: str
    orders: int
    turnover: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """One scenario: the options that differ from the others' and, once it is done, its run or its failure.

    ``run_kept`` tells whether the run is still in the store.
    """

    name: str
    description: str | None
    options: Mapping[str, Any]
    done: bool = False
    rebalance_run_id: str | None = None
    run_kept: bool = False
    figures: ScenarioFigures | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class OperationDetail:
    """An operation and its scenarios by name; ``shared`` are the options that all of them have.

    ``callback`` is the delivery that says that it has ended, None before that and where nobody is called back.
    """

    row: OperationRow
    portfolio_id: str | None
    shared: Mapping[str, Any]
    scenarios: tuple[ScenarioRow, ...]
    callback: DeliveryRow | None

    @property
    def is_analysis(self) -> bool:
        """Whether it is made of scenarios; the others make a proposal or a version of one."""
        return self.row.family is OperationFamily.REBALANCE

    @property
    def failed(self) -> int:
        """The number of failed scenarios of an operation that succeeded."""
        return sum(scenario.failure is not None for scenario in self.scenarios)

    @property
    def first_run_kept(self) -> bool:
        """Whether there is a run to create a support bundle for."""
        return any(scenario.run_kept for scenario in self.scenarios)


@dataclass(frozen=True, slots=True)
class OperationPayloads:
    """The request and, once there is one, the result, as they were stored."""

    row: OperationRow
    request: Mapping[str, Any]
    result: Mapping[str, Any] | None


def operation_detail(
    session: Session, tenant_id: str, operation_id: str, families: Families = REBALANCES
) -> OperationDetail:
    """Return an operation of these families for its page; raises NotFound. Four queries at most."""
    row = stored_operation(session, tenant_id, operation_id, families).row
    request = _request(session, tenant_id, operation_id)
    done = _done(session, tenant_id, operation_id)
    scenarios = request.get("scenarios", {})
    shared = _shared([scenario.get("options") or {} for scenario in scenarios.values()])
    portfolio = request.get("body", {}).get("simulate_request", request).get("portfolio_snapshot", {})
    return OperationDetail(
        row=row,
        portfolio_id=portfolio.get("portfolio_id"),
        callback=callback_of(session, tenant_id, operation_id) if row.callback_url else None,
        shared=shared,
        scenarios=tuple(_scenario(name, scenarios[name], shared, done.get(name)) for name in sorted(scenarios)),
    )


def operation_payloads(
    session: Session, tenant_id: str, operation_id: str, families: Families = REBALANCES
) -> OperationPayloads:
    """Return the stored request and result, which the page shows as raw JSON; raises NotFound. Two queries."""
    stored: StoredOperation = stored_operation(session, tenant_id, operation_id, families)
    result = None if stored.result is None else json.loads(stored.result)
    return OperationPayloads(stored.row, _request(session, tenant_id, operation_id), result)


def _request(session: Session, tenant_id: str, operation_id: str) -> dict[str, Any]:
    packed = session.scalars(
        select(OperationPayload.request).where(
            OperationPayload.tenant_id == tenant_id, OperationPayload.operation_id == operation_id
        )
    ).one_or_none()
    if packed is None:  # it was purged since the operation was read
        raise no_such_operation()
    return unpack_document(packed)


def _done(session: Session, tenant_id: str, operation_id: str) -> dict[str, dict[str, Any]]:
    of_step = (Run.tenant_id == OperationStep.tenant_id) & (Run.rebalance_run_id == OperationStep.rebalance_run_id)
    query = (
        select(
            OperationStep.name,
            OperationStep.rebalance_run_id,
            Run.rebalance_run_id.is_not(None).label("run_kept"),
            OperationStep.metric,
            OperationStep.failure,
        )
        .join(Run, of_step, isouter=True)
        .where(OperationStep.tenant_id == tenant_id, OperationStep.operation_id == operation_id)
    )
    return {row["name"]: dict(row) for row in session.execute(query).mappings()}


def _shared(options: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the options that all sets have in common; none for a single set."""
    if len(options) < 2:
        return {}
    first, *others = options
    return {name: value for name, value in first.items() if all(name in one and one[name] == value for one in others)}


def _scenario(
    name: str, asked: Mapping[str, Any], shared: Mapping[str, Any], done: Mapping[str, Any] | None
) -> ScenarioRow:
    description = asked.get("description")
    options = {key: value for key, value in (asked.get("options") or {}).items() if key not in shared}
    if done is None:
        return ScenarioRow(name, description, options)
    return ScenarioRow(
        name=name,
        description=description,
        options=options,
        done=True,
        rebalance_run_id=done["rebalance_run_id"],
        run_kept=bool(done["run_kept"]),
        figures=None if done["metric"] is None else _figures(done["metric"]),
        failure=done["failure"],
    )


def _figures(metric: Mapping[str, Any]) -> ScenarioFigures:
    turnover = metric["gross_turnover_notional_base"]
    return ScenarioFigures(
        metric["status"], metric["security_intent_count"], Decimal(str(turnover["amount"])), turnover["currency"]
    )
