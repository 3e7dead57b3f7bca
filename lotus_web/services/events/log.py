"""Appending to the log: under the tenant's lock, chained, projected in the same transaction (workflow.md §1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.canonical import canonical_json, content_hash
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.events.envelope import (
    GENESIS,
    OWN_PRODUCER,
    EventDraft,
    EventType,
    Poster,
    check_draft,
    entry_hash,
    envelope,
)
from lotus_web.domain.events.opening import OPENERS, opened_by
from lotus_web.domain.events.projection import target_workflow_id
from lotus_web.domain.items.subjects import SubjectType, item_id
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.sla.deadlines import WorkflowDefaults
from lotus_web.models import EventLogEntry, Run, TenantRuntime
from lotus_web.models.to_domain import poster_of as poster_of
from lotus_web.models.to_domain import stored_envelope as stored_envelope
from lotus_web.services.events.item_rows import find_item
from lotus_web.services.events.projection import apply_entry
from lotus_web.store.session import LOCKED
from lotus_web.store.upserts import insert_into

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Appended:
    """A stored event and whether this call stored it."""

    entry: EventLogEntry
    created: bool


def lock_tenant(session: Session, tenant_id: str) -> TenantRuntime:
    """Lock and return the tenant's runtime row, making it on first use; every writer of a tenant queues here.

    Asked again in the same transaction it answers from memory: the lock is held until the end.
    """
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
    session: Session, draft: EventDraft, *, defaults: WorkflowDefaults, now: datetime, poster: Poster | None = None
) -> Appended:
    """Append one event, extend the chain, apply the projection and move the cursor; the caller's transaction commits all.

    ``poster`` is who fed it from outside; a repeated event keeps the first.

    Raises InvalidInput ``invalid_argument`` for a payload or first event that cannot be, Conflict
    ``idempotency_conflict`` for a used key with other content, Conflict ``trace_seq_conflict`` for a gap.
    """
    check_draft(draft)
    runtime = lock_tenant(session, draft.tenant_id)
    stored = _same_key(session, draft)
    if stored is not None:
        return Appended(stored, created=False)
    trace_seq = _next_trace_seq(session, draft)
    _check_opening(session, draft)
    entry = chained_entry(
        draft, trace_seq=trace_seq, prev_hash=runtime.head_hash, defaults=defaults, now=now, poster=poster
    )
    session.add(entry)
    session.flush()
    runtime.last_log_seq = entry.log_seq
    runtime.head_hash = entry.entry_hash
    runtime.entry_count += 1
    runtime.updated_at = now
    apply_entry(session, entry)
    session.flush()
    return Appended(entry, created=True)


def _same_key(session: Session, draft: EventDraft) -> EventLogEntry | None:
    own = select(EventLogEntry).where(EventLogEntry.tenant_id == draft.tenant_id)
    stored = session.scalars(
        own.where(
            EventLogEntry.producer_id == draft.source.producer_id,
            EventLogEntry.idempotency_key == draft.idempotency_key,
        )
    ).one_or_none()
    if stored is None:
        if session.scalar(own.where(EventLogEntry.event_id == draft.event_id)) is not None:
            raise _used("This event id was used for another event.", draft.event_id)
    elif not same_content(stored, draft):
        raise _used("This idempotency key was used for another event.", stored.event_id)
    return stored


def _used(message: str, event_id: str) -> Conflict:
    return Conflict("idempotency_conflict", message, details={"event_id": event_id})


def _check_opening(session: Session, draft: EventDraft) -> None:
    """Refuse an event that would open another trace's item, or one from outside that would open a run's: ids can coincide."""
    subject = opened_by(draft)
    if subject is None:
        return
    workflow_id = str(target_workflow_id(draft))
    item = find_item(session, draft.tenant_id, workflow_id)
    if item is not None and item.trace_id != draft.trace_id:
        raise InvalidInput(
            "invalid_argument",
            Sentence("{workflow_id} is an item of another trace.", workflow_id=workflow_id),
            loc=("body", "trace_id"),
        )
    run = None
    if draft.producer_id != OWN_PRODUCER:
        run = _run_reviewed_as(session, draft, workflow_id, draft.payload[OPENERS[subject].subject_key])
    if run is not None:
        message = f"{run.rebalance_run_id} is a run: recording it opens its review."
        raise InvalidInput("invalid_argument", message, loc=("body", "payload"))


def _run_reviewed_as(session: Session, draft: EventDraft, workflow_id: str, subject_id: str) -> Run | None:
    """Return the run whose review has this id.

    An id is two ids joined, so that of a run can also come of another pair, whose second id holds the joint: only then are the
    joined columns compared, which no index answers.
    """
    run = session.get(Run, (draft.tenant_id, subject_id))
    if run is not None and item_id(run.correlation_id, SubjectType.RUN, run.rebalance_run_id) == workflow_id:
        return run
    joint = item_id("", SubjectType.RUN, "")
    if joint not in f":{subject_id}":
        return None
    joined = Run.correlation_id + joint + Run.rebalance_run_id
    return session.scalars(select(Run).where(Run.tenant_id == draft.tenant_id, joined == workflow_id)).one_or_none()


def same_content(stored: EventLogEntry, draft: EventDraft) -> bool:
    """Return whether a draft says what a stored event says; the place in the trace counts only if the draft names one."""
    seq = stored.trace_seq if draft.trace_seq is None else draft.trace_seq
    return canonical_json(stored_envelope(stored)) == canonical_json(envelope(draft, trace_seq=seq))


def _next_trace_seq(session: Session, draft: EventDraft) -> int:
    last = session.scalar(
        select(func.max(EventLogEntry.trace_seq)).where(
            EventLogEntry.tenant_id == draft.tenant_id, EventLogEntry.trace_id == draft.trace_id
        )
    )
    expected = 0 if last is None else last + 1
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
    return expected


def chained_entry(
    draft: EventDraft,
    *,
    trace_seq: int,
    prev_hash: str,
    defaults: WorkflowDefaults,
    now: datetime,
    poster: Poster | None = None,
) -> EventLogEntry:
    """Return the row of an event as the successor of the entry whose hash is ``prev_hash``."""
    document = envelope(draft, trace_seq=trace_seq)
    payload_hash = content_hash(draft.payload)
    applied = defaults.as_dict()
    return EventLogEntry(
        **{key: value for key, value in document.items() if key != "event_type"},
        event_type=draft.event_type.value,
        producer_id=draft.source.producer_id,
        recorded_at=now,
        applied_defaults=applied,
        posted_by=poster.account if poster else None,
        posted_with=poster.token_id if poster else None,
        payload_hash=payload_hash,
        prev_hash=prev_hash,
        entry_hash=entry_hash(
            document,
            payload_hash=payload_hash,
            prev_hash=prev_hash,
            recorded_at=now,
            applied_defaults=applied,
            poster=poster,
        ),
    )
