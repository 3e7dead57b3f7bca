"""Appending to the log: under the tenant's lock, chained, projected in the same transaction (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.events.envelope import (
    GENESIS,
    OWN_PRODUCER,
    EventDraft,
    EventType,
    Poster,
    check_draft,
)
from lotus_web.domain.events.opening import opened_by
from lotus_web.domain.events.projection import Effect, target_workflow_id
from lotus_web.domain.items.subjects import SubjectType, item_id, possible_subject_ids
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from lotus_web.models import EventLogEntry, Run, TenantRuntime, WorkflowItem
from lotus_web.models.to_domain import poster_of as poster_of
from lotus_web.models.to_domain import stored_envelope as stored_envelope
from lotus_web.services.events.entries import chained_entry as chained_entry
from lotus_web.services.events.entries import insert_entries
from lotus_web.services.events.facts import fact_entries, take_facts, waiting_facts, waiting_tenants
from lotus_web.services.events.history import TraceHistory, read_history
from lotus_web.services.events.history import same_content as same_content
from lotus_web.services.events.projection import apply_entries
from lotus_web.store.clock import store_now
from lotus_web.store.session import LOCKED, recheck
from lotus_web.store.upserts import insert_into

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Appended:
    """A stored event, whether this call stored it, and what it did then; an event may do nothing to any item."""

    entry: EventLogEntry
    created: bool
    effect: Effect | None = None


def lock_tenant(session: Session, tenant_id: str) -> TenantRuntime:
    """Lock and return the tenant's runtime row, making it on first use; every writer of a tenant queues here.

    Asked again in the same transaction it answers from memory: the lock is held until the end.
    """
    is_held = tenant_id in session.info.get(LOCKED, {})
    runtime = _held_runtime(session, tenant_id)
    if not is_held:
        recheck(session)
    return runtime


def _held_runtime(session: Session, tenant_id: str) -> TenantRuntime:
    held: dict[str, TenantRuntime] = session.info.setdefault(LOCKED, {})
    if tenant_id not in held:
        held[tenant_id] = _locked_runtime(session, tenant_id)
    return held[tenant_id]


def _locked_runtime(session: Session, tenant_id: str) -> TenantRuntime:
    query = select(TenantRuntime).where(TenantRuntime.tenant_id == tenant_id).with_for_update()
    runtime = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if runtime is not None:
        return runtime
    _insert_runtime(session, tenant_id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _insert_runtime(session: Session, tenant_id: str) -> None:
    values = {"tenant_id": tenant_id, "last_log_seq": 0, "head_hash": GENESIS, "entry_count": 0, "updated_at": EPOCH}
    session.execute(insert_into(session, TenantRuntime).values(values).on_conflict_do_nothing())


def append_event(
    session: Session,
    draft: EventDraft,
    *,
    defaults: WorkflowDefaults,
    now: datetime,
    poster: Poster | None = None,
    item: WorkflowItem | None = None,
) -> Appended:
    """Append one event as ``append_events`` does; ``item`` is its item where the caller has locked that already."""
    history = trace_history(session, [draft], item)
    return append_events(session, [draft], history, defaults=defaults, now=now, poster=poster)[0]


def trace_history(session: Session, drafts: Sequence[EventDraft], item: WorkflowItem | None = None) -> TraceHistory:
    """Check drafts of one trace, lock their tenant and read what the log says of them.

    Raises InvalidInput ``invalid_argument`` for a draft that cannot be.
    """
    for draft in drafts:
        check_draft(draft)
    lock_tenant(session, drafts[0].tenant_id)
    return read_history(session, drafts, item)


def append_events(
    session: Session,
    drafts: Sequence[EventDraft],
    history: TraceHistory,
    *,
    defaults: WorkflowDefaults,
    now: datetime,
    poster: Poster | None = None,
) -> list[Appended]:
    """Append the events of one command to one trace: extend the chain, apply the projection, move the cursor.

    All are checked before the first is written, and each table is written once; the caller's transaction commits all of it.
    ``poster`` is who sent them from outside; a repeated event keeps the first. ``history`` is what ``trace_history`` gave.

    Raises InvalidInput ``invalid_argument`` for a first event that cannot be, Conflict ``idempotency_conflict`` for a used
    key with other content, Conflict ``trace_seq_conflict`` for a gap.
    """
    runtime = lock_tenant(session, drafts[0].tenant_id)
    head, next_seq = runtime.head_hash, history.next_seq
    appended: list[Appended] = []
    for draft in drafts:
        stored = history.repeated(draft)
        if stored is not None:
            appended.append(Appended(stored, created=False))
            continue
        _check_place(draft, next_seq)
        _check_opening(session, draft, history)
        entry = chained_entry(draft, trace_seq=next_seq, prev_hash=head, defaults=defaults, now=now, poster=poster)
        head, next_seq = entry.entry_hash, next_seq + 1
        appended.append(Appended(entry, created=True))
    new = [one.entry for one in appended if one.created]
    if not new:
        return appended
    _extend(session, runtime, new, now=now)
    effects = apply_entries(session, new, history)
    session.flush()
    return [replace(one, effect=effects.get(one.entry.event_id)) if one.created else one for one in appended]


def _extend(session: Session, runtime: TenantRuntime, events: Sequence[EventLogEntry], *, now: datetime) -> None:
    """Write new events and the facts that wait for the same log, all in one statement, and move the end of the log."""
    session.flush()  # what was added before is a fact once it is flushed
    facts = take_facts(session, runtime.tenant_id)
    head = events[-1].entry_hash if events else runtime.head_hash
    place = runtime.entry_count + len(events) + 1
    new = [*events, *fact_entries(facts, place=place, prev_hash=head, now=now)]
    insert_entries(session, new)
    runtime.last_log_seq, runtime.head_hash = new[-1].log_seq, new[-1].entry_hash
    runtime.entry_count += len(new)
    runtime.updated_at = now


def append_facts(session: Session, now: datetime | None = None) -> None:
    """Append the facts that no event took along, to each tenant's log under its lock; at the time of the last unless told."""
    session.flush()
    for tenant_id in waiting_tenants(session):
        # What was done is done: nobody's rights are checked again, which a sign-out has just ended.
        runtime = _held_runtime(session, tenant_id)
        told = (fact.occurred_at for fact in waiting_facts(session, tenant_id) if fact.occurred_at is not None)
        _extend(session, runtime, (), now=now or max(told, default=None) or store_now(session))
    session.flush()


# Before the counters, which are locked last (services/support.py).
event.listen(Session, "before_commit", append_facts, insert=True)


def _check_opening(session: Session, draft: EventDraft, history: TraceHistory) -> None:
    """Refuse an event that would open another trace's item, or one from outside that would open a run's: ids can coincide."""
    if opened_by(draft) is None:
        return
    workflow_id = str(target_workflow_id(draft))
    item = history.items.get(workflow_id)
    if item is not None and item.trace_id != draft.trace_id:
        raise InvalidInput(
            "invalid_argument",
            Sentence("{workflow_id} is an item of another trace.", workflow_id=workflow_id),
            loc=("body", "trace_id"),
        )
    run = None if draft.producer_id == OWN_PRODUCER else _run_reviewed_as(session, draft.tenant_id, workflow_id)
    if run is not None:
        message = f"{run.rebalance_run_id} is a run: recording it opens its review."
        raise InvalidInput("invalid_argument", message, loc=("body", "payload"))


def _run_reviewed_as(session: Session, tenant_id: str, workflow_id: str) -> Run | None:
    """Return the run whose review has this id, found by the primary key of each run that it can be about."""
    ids = possible_subject_ids(workflow_id, SubjectType.RUN)
    if not ids:
        return None
    query = select(Run).where(Run.tenant_id == tenant_id, Run.rebalance_run_id.in_(sorted(ids)))
    for run in session.scalars(query):
        if item_id(run.correlation_id, SubjectType.RUN, run.rebalance_run_id) == workflow_id:
            return run
    return None


def _check_place(draft: EventDraft, expected: int) -> None:
    """Refuse a draft that names another place than the next one, and a trace without its beginning or with two."""
    if draft.trace_seq is not None and draft.trace_seq != expected:
        raise Conflict(
            "trace_seq_conflict",
            Sentence("The next event of this trace is number {expected}.", expected=expected),
            details={"expected": expected, "sent": draft.trace_seq},
        )
    if (expected == 0) != (draft.event_type is EventType.TRACE_STARTED):
        raise InvalidInput(
            "invalid_argument", "TraceStarted is the first event of a trace, once.", loc=("body", "event_type")
        )
