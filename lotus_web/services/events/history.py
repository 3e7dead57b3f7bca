"""What the log already says of a trace and of events to be appended to it: one statement, under the tenant's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.errors import Conflict
from lotus_web.domain.events.envelope import EventDraft, envelope
from lotus_web.domain.events.projection import target_workflow_id
from lotus_web.models import EventLogEntry, WorkflowItem
from lotus_web.models.to_domain import stored_envelope
from lotus_web.services.events.item_rows import lock_items


@dataclass(frozen=True, slots=True)
class TraceHistory:
    """The first and the last event of a trace, the events that drafts may repeat, and the locked items they are about.

    ``entries`` also holds the events that opened those items, whose producers decide who may close them.
    """

    entries: Mapping[str, EventLogEntry]
    by_key: Mapping[tuple[str, str], EventLogEntry]
    first: EventLogEntry | None
    last_seq: int | None
    items: Mapping[str, WorkflowItem]

    @property
    def next_seq(self) -> int:
        """The number of the trace's next event."""
        return 0 if self.last_seq is None else self.last_seq + 1

    def has_key(self, draft: EventDraft) -> bool:
        """Return whether the draft's producer has used its idempotency key, for whatever content."""
        return (draft.source.producer_id, draft.idempotency_key) in self.by_key

    def repeated(self, draft: EventDraft) -> EventLogEntry | None:
        """Return the stored event that a draft repeats; raises Conflict ``idempotency_conflict`` for other content."""
        stored = self.by_key.get((draft.source.producer_id, draft.idempotency_key))
        if stored is None:
            if draft.event_id in self.entries:
                raise _used("This event id was used for another event.", draft.event_id)
        elif not same_content(stored, draft):
            raise _used("This idempotency key was used for another event.", stored.event_id)
        return stored


def _used(message: str, event_id: str) -> Conflict:
    return Conflict("idempotency_conflict", message, details={"event_id": event_id})


def same_content(stored: EventLogEntry, draft: EventDraft) -> bool:
    """Return whether a draft says what a stored event says; the place in the trace counts only if the draft names one."""
    seq = stored.trace_seq if draft.trace_seq is None else draft.trace_seq
    return canonical_json(stored_envelope(stored)) == canonical_json(envelope(draft, trace_seq=seq))


def read_history(session: Session, drafts: Sequence[EventDraft], item: WorkflowItem | None = None) -> TraceHistory:
    """Read the history of the one trace that all drafts belong to; ``item`` is one that the caller has locked.

    The caller holds the tenant's lock. One statement for the log, and one for items that are not given.
    """
    tenant_id, trace_id = drafts[0].tenant_id, drafts[0].trace_id
    known = {} if item is None else {item.workflow_id: item}
    about = {workflow_id for draft in drafts if (workflow_id := target_workflow_id(draft)) is not None}
    items = known | lock_items(session, tenant_id, about - known.keys())
    found = _entries(session, drafts, (row.created_from_event_id for row in items.values()))
    in_trace = [entry for entry in found if entry.trace_id == trace_id]
    return TraceHistory(
        entries={entry.event_id: entry for entry in found},
        by_key={(entry.producer_id, entry.idempotency_key): entry for entry in found},
        first=next((entry for entry in in_trace if entry.trace_seq == 0), None),
        last_seq=max((entry.trace_seq for entry in in_trace), default=None),
        items=items,
    )


def _entries(session: Session, drafts: Sequence[EventDraft], openers: Iterable[str]) -> Sequence[EventLogEntry]:
    """Return a handful of events; each part of the condition is answered by an index of its own."""
    first, other = drafts[0], aliased(EventLogEntry)
    tenant = EventLogEntry.tenant_id == first.tenant_id
    trace = and_(tenant, EventLogEntry.trace_id == first.trace_id)
    last = select(func.max(other.trace_seq)).where(other.tenant_id == first.tenant_id, other.trace_id == first.trace_id)
    ids = sorted({draft.event_id for draft in drafts} | set(openers))
    keys = [draft.idempotency_key for draft in drafts]
    query = select(EventLogEntry).where(
        or_(
            and_(trace, EventLogEntry.trace_seq == 0),
            and_(trace, EventLogEntry.trace_seq == last.scalar_subquery()),
            and_(tenant, EventLogEntry.event_id.in_(ids)),
            and_(
                tenant,
                EventLogEntry.producer_id == first.source.producer_id,
                EventLogEntry.idempotency_key.in_(keys),
            ),
        )
    )
    return session.scalars(query).all()
