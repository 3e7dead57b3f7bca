"""Verifying that each row of a logged table is what its entry in the log says, and that neither is without the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, Text, and_, case, exists, func, select, tuple_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from lotus_web.domain.events.facts import NO_TRACE, FactType
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models import EventLogEntry, Proposal, RetentionEntry, Run, RunArtifact, RunPayload
from lotus_web.models.events.logged_rows import LOGGED, RUNS, LoggedTable, is_said, run_document
from lotus_web.queries.audit.moved_rows import lost_rows, moved_rows

BATCH = 1_000
# Payloads are large: so few are in memory at a time.
RUNS_AT_ONCE = 50
SHOWN = 100
_TABLES: Mapping[str, LoggedTable] = {table.fact_type.value: table for table in LOGGED}

Entries = Mapping[str, str]


def verify_facts(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for each row that is not what its entry says, that is missing, or that no entry records.

    Reads the entries in batches, so memory does not grow with the log. That an entry is the one that was appended is the
    business of the chain and the tree.
    """
    for fact_type, said in _batches(session, tenant_id):
        table = _TABLES.get(fact_type)
        if table is None:
            yield f"entries of the unknown kind {fact_type}: this version cannot compare them"
        elif table is RUNS:
            yield from _runs(session, tenant_id, said)
        elif table.moves:
            yield from lost_rows(session, tenant_id, table, said)
        else:
            yield from _rows(session, tenant_id, table, said)
        session.expunge_all()
    for table in LOGGED:
        compare = moved_rows if table.moves else _unlogged
        yield from compare(session, tenant_id, table)
    yield from _loose_payloads(session, tenant_id)
    yield from _holds(session, tenant_id)


def _batches(session: Session, tenant_id: str) -> Iterator[tuple[str, Entries]]:
    """Yield what entries say, by what they are about, some of one kind at a time."""
    after = 0
    payload = type_coerce(EventLogEntry.payload, Text).label("payload")
    query = (
        select(EventLogEntry.trace_seq, EventLogEntry.event_type, EventLogEntry.idempotency_key, payload)
        .where(EventLogEntry.tenant_id == tenant_id, EventLogEntry.trace_id == NO_TRACE)
        .order_by(EventLogEntry.trace_seq)
        .limit(BATCH)
    )
    while rows := session.execute(query.where(EventLogEntry.trace_seq > after)).all():
        kinds: dict[str, dict[str, str]] = {}
        for row in rows:
            about = row.idempotency_key.rpartition(f":{row.event_type}")[0]
            kinds.setdefault(row.event_type, {})[about] = row.payload
        for kind, said in kinds.items():
            size = RUNS_AT_ONCE if kind == FactType.RUN_RECORDED.value else BATCH
            names = list(said)
            for start in range(0, len(names), size):
                yield kind, {name: said[name] for name in names[start : start + size]}
        after = rows[-1].trace_seq


def _rows(session: Session, tenant_id: str, table: LoggedTable, said: Entries) -> Iterator[str]:
    columns = [getattr(table.model, name) for name in table.key]
    keys = [[json.loads(payload).get(name) for name in table.key] for payload in said.values()]
    query = select(table.model).where(*table.of_tenant(tenant_id), tuple_(*columns).in_(keys))
    found = {table.about(row): row for row in session.scalars(query)}
    missing = [about for about in said if about not in found]
    if table.purged_as is not None:
        purged = set(session.scalars(_purges(tenant_id, missing, table.purged_as)))
        missing = [about for about in missing if about not in purged]
    if not table.may_go:
        yield from (f"{table.noun} {about}: it is missing, and the log records it" for about in missing)
    for about, row in found.items():
        if about in said and not is_said(table.document(row), said[about]):
            yield f"{table.noun} {about}: it is not what the log records"


def run_rows(session: Session, tenant_id: str, ids: Sequence[str]) -> Sequence[Row[Run, Any, Any, bool]]:
    """Return runs with what is stored of them and whether they are purged by the retention log; one statement, one moment."""
    purged = exists(_purges(tenant_id, Run.rebalance_run_id))
    query = (
        select(Run, RunPayload, RunArtifact, purged.label("purged"))
        .outerjoin(RunPayload, _of_run(RunPayload))
        .outerjoin(RunArtifact, _of_run(RunArtifact))
        .where(Run.tenant_id == tenant_id, Run.rebalance_run_id.in_(ids))
    )
    return session.execute(query.execution_options(populate_existing=True)).all()


def _of_run(model: Any) -> Any:
    return and_(model.tenant_id == Run.tenant_id, model.rebalance_run_id == Run.rebalance_run_id)


def _runs(session: Session, tenant_id: str, said: Entries) -> Iterator[str]:
    ids = list(said)
    found = {row[0].rebalance_run_id: tuple(row) for row in run_rows(session, tenant_id, ids)}
    missing = [run_id for run_id in ids if run_id not in found]
    purges = set(session.scalars(_purges(tenant_id, missing)))
    yield from (f"run {name}: it is missing, and no purge of it is recorded" for name in missing if name not in purges)
    for run_id, (run, payload, artifact, purged) in found.items():
        if purged:
            yield f"run {run_id}: it is stored, and its purge is recorded"
        elif payload is None:
            yield f"run {run_id}: its request and result are missing"
        elif not is_said(run_document(run, payload, artifact), said[run_id]):
            yield f"run {run_id}: it is not what the log records: its request, result or artifact, or a word of it, was edited"


def _purges(
    tenant_id: str,
    ids: Sequence[str] | InstrumentedAttribute[str],
    kind: RetentionEntryType = RetentionEntryType.RUN_PURGED,
) -> Select[str]:
    """Return the query for those of some runs or proposals, or for the one of an outer query, whose purge is recorded."""
    entity = RetentionEntry.entity_id
    return select(entity).where(
        RetentionEntry.tenant_id == tenant_id,
        entity == ids if isinstance(ids, InstrumentedAttribute) else entity.in_(ids),
        RetentionEntry.entry_type == kind.value,
    )


def _unlogged(session: Session, tenant_id: str, table: LoggedTable) -> Iterator[str]:
    query = select(table.model).where(*table.of_tenant(tenant_id), ~table.is_logged())
    for row in session.scalars(query.limit(SHOWN)).all():
        yield f"{table.noun} {table.about(row)}: no entry of the log records it"


def _loose_payloads(session: Session, tenant_id: str) -> Iterator[str]:
    for model, noun in ((RunPayload, "payloads"), (RunArtifact, "an artifact")):
        query = select(model.rebalance_run_id).where(model.tenant_id == tenant_id, ~exists().where(_of_run(model)))
        for run_id in session.scalars(query.limit(SHOWN)).all():
            yield f"run {run_id}: {noun} of it are stored, and it is not"


_HOLDS = (RetentionEntryType.HOLD_SET.value, RetentionEntryType.HOLD_LIFTED.value)


def _holds(session: Session, tenant_id: str) -> Iterator[str]:
    """Compare each legal hold with the last line of the retention log about it."""
    for id_column, noun in ((Run.rebalance_run_id, "run"), (Proposal.proposal_id, "proposal")):
        model = id_column.class_
        last = (
            select(case((RetentionEntry.entry_type == _HOLDS[0], True), else_=False))
            .where(
                RetentionEntry.tenant_id == model.tenant_id,
                RetentionEntry.entity_id == id_column,
                RetentionEntry.entry_type.in_(_HOLDS),
            )
            .order_by(RetentionEntry.entry_id.desc())
            .limit(1)
            .scalar_subquery()
        )
        wrong = model.legal_hold != func.coalesce(last, False)
        query = select(id_column, model.legal_hold).where(model.tenant_id == tenant_id, wrong).limit(SHOWN)
        for entity_id, held in session.execute(query).all():
            state = "held" if held else "not held"
            yield f"{noun} {entity_id}: it is {state}, and the retention log says otherwise"
