"""Rows from before their table was logged: an upgrade appends their entries once, marked as recorded later (docs/proof.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlalchemy import inspect, select, tuple_
from sqlalchemy.orm import Session

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.events.facts import Fact
from lotus_web.models import Run, RunArtifact, RunPayload
from lotus_web.models.events.logged_rows import (
    ACCESS,
    ACTIONS,
    DECISIONS,
    OF_PROPOSALS,
    PROPOSALS,
    RECORDS,
    RETENTION,
    RUNS,
    LoggedTable,
    run_fact,
)
from lotus_web.services.events.facts import note_fact
from lotus_web.services.events.log import append_facts
from lotus_web.store.clock import store_now

# Since which migration a table is logged.
SINCE: Mapping[str, tuple[LoggedTable, ...]] = {
    "0025": (RUNS, ACTIONS, DECISIONS, RETENTION),
    "0027": (RECORDS, PROPOSALS, *OF_PROPOSALS, *ACCESS),
}
BATCH = 200


def record_earlier_rows(session: Session, *, before: str | None, after: str | None) -> int:
    """Append the entries of tables that an upgrade from one migration to another begins to log; return how many there were.

    Only there: whoever could ask for it at any time could put a row under an entry that says it was always there.
    """
    if before is None or after is None:
        return 0
    tables = [table for since, of_it in SINCE.items() if before < since <= after for table in of_it]
    return sum(_record(session, table, tenant_id) for table in tables for tenant_id in _tenants(session, table))


def _tenants(session: Session, table: LoggedTable) -> list[str]:
    if table.of_deployment:
        return [DEFAULT_TENANT]
    return sorted(session.scalars(select(table.model.tenant_id).distinct()))


def _record(session: Session, table: LoggedTable, tenant_id: str) -> int:
    recorded, now = 0, store_now(session)
    for batch in _batches(session, table, tenant_id):
        for fact in batch:
            note_fact(session, replace(fact, recorded_later=True))
        append_facts(session, now=now)
        recorded += len(batch)
    return recorded


def _batches(session: Session, table: LoggedTable, tenant_id: str) -> Iterator[list[Fact]]:
    """Yield the entries of a table's rows, oldest first where their key tells."""
    query = select(table.model)
    if table is RUNS:
        of_run = [
            (part.tenant_id == Run.tenant_id) & (part.rebalance_run_id == Run.rebalance_run_id)
            for part in (RunPayload, RunArtifact)
        ]
        query = select(Run, RunPayload, RunArtifact).join(RunPayload, of_run[0]).outerjoin(RunArtifact, of_run[1])
    if not table.moves:
        query = query.where(~table.is_logged())
    order = inspect(table.model).primary_key
    query, after = query.where(*table.of_tenant(tenant_id)).order_by(*order).limit(BATCH), None
    while rows := session.execute(query if after is None else query.where(tuple_(*order) > after)).all():
        yield [run_fact(*row) if table is RUNS else table.fact(row[0]) for row in rows]
        after = tuple(inspect(rows[-1][0]).identity)
        for stored in (one for row in rows for one in row if one is not None):
            session.expunge(stored)
