"""What one transaction adds to logged tables waits here until it is appended to the log: with the events of its command where
there are any, at the commit otherwise (services/events/log.py)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.events.envelope import SOURCE, EventDraft
from lotus_web.domain.events.facts import NO_TRACE, RECORDED_LATER, TELLER, Fact
from lotus_web.models import EventLogEntry
from lotus_web.models.events.logged_rows import FLUSHED, LoggedTable
from lotus_web.services.events.entries import chained_entry
from lotus_web.store.new_ids import new_id
from lotus_web.store.types import Base

WAITING = "lotus_facts"


def note_fact(session: Session, fact: Fact) -> None:
    """Let an entry be appended with what the open transaction appends next, or when it commits."""
    session.info.setdefault(WAITING, {}).setdefault(fact.tenant_id, []).append(fact)


def waiting_tenants(session: Session) -> list[str]:
    """Return the tenants whose logs the open transaction has yet to append to, in the order in which all lock them: default first."""
    return sorted(session.info.get(WAITING, {}), key=lambda tenant_id: (tenant_id != DEFAULT_TENANT, tenant_id))


def waiting_facts(session: Session, tenant_id: str) -> Sequence[Fact]:
    """Return what waits for a tenant's log, in the order in which it was noted."""
    waiting: dict[str, list[Fact]] = session.info.get(WAITING, {})
    return waiting.get(tenant_id, ())


def take_facts(session: Session, tenant_id: str) -> list[Fact]:
    """Return what waits for a tenant's log, which the caller appends now."""
    waiting: dict[str, list[Fact]] = session.info.get(WAITING, {})
    return waiting.pop(tenant_id, [])


def fact_entries(facts: Iterable[Fact], *, place: int, prev_hash: str, now: datetime) -> Sequence[EventLogEntry]:
    """Return the rows of facts that follow the entry with ``prev_hash``; the first has this place in the log, from 1."""
    entries: list[EventLogEntry] = []
    for fact in facts:
        draft = EventDraft(
            event_id=new_id("fct_"),
            tenant_id=fact.tenant_id,
            trace_id=NO_TRACE,
            event_type=fact.fact_type,
            occurred_at=fact.occurred_at or now,
            source=SOURCE,
            actor=TELLER,
            idempotency_key=fact.key(place + len(entries)),
            payload=fact.says,
            tags=(RECORDED_LATER,) if fact.recorded_later else (),
        )
        entry = chained_entry(draft, trace_seq=place + len(entries), prev_hash=prev_hash, defaults=None, now=now)
        prev_hash = entry.entry_hash
        entries.append(entry)
    return entries


@event.listens_for(Session, "after_flush")
def _note_added(session: Session, _flushed: UOWTransaction) -> None:
    """Note the rows that were added to logged tables, and those that moved or were removed, whoever did it."""
    for row in session.new:
        table = FLUSHED.get(type(row))
        if table is not None and table.logs(row):
            note_fact(session, table.fact(row))
    for row in session.dirty:
        table = FLUSHED.get(type(row))
        if table is not None and table.moves and _moved(row, table):
            note_fact(session, table.fact(row))
    for row in session.deleted:
        table = FLUSHED.get(type(row))
        if table is not None and table.moves:
            note_fact(session, table.removal(row))


def _moved(row: Base, table: LoggedTable) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in table.columns)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(WAITING, None)
