"""A line of the audit log, and how each of its three sources is read: the event log, actions on items, audit records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, type_coerce

from lotus_web.domain.audit import present_action
from lotus_web.domain.canonical import canonical_json
from lotus_web.models import AuditRecord, EventLogEntry, WorkflowAction
from lotus_web.models.events.log import OF_TRACES


class Source(IntEnum):
    """Where a line comes from; of one instant the higher reads first in a list of the newest."""

    EVENT = 0
    ACTION = 1
    RECORD = 2

    @property
    def word(self) -> str:
        """The name in filters and exports."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit log; ``hash`` (its place in the chain) and ``posted_by`` (who sent it in) are for events only."""

    source: Source
    seq: int
    at: datetime
    kind: str
    actor_id: str
    on_behalf_of: str | None
    about: str
    trace_id: str | None
    text: str
    surface: str | None
    line_id: str
    hash: str | None
    details: Mapping[str, Any]
    posted_by: str | None = None
    posted_with: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How one source is read: its columns in the roles that filters and order need, and which rows it has."""

    source: Source
    model: Any
    at: Any
    seq: Any
    kind: Any
    actor: Callable[[str], ColumnElement[bool]]
    about: Callable[[str], ColumnElement[bool]]
    line: Callable[[Any], AuditLine]
    only: tuple[Any, ...] = ()


def _event_actor(name: str) -> ColumnElement[bool]:
    # The column holds canonical JSON text, in which an account is written in one way only.
    member = f'"actor_id":{canonical_json(name)}'
    named = type_coerce(EventLogEntry.actor, Text).contains(member, autoescape=True)
    return or_(named, EventLogEntry.posted_by == name)


def _event_line(row: EventLogEntry) -> AuditLine:
    payload = row.payload
    text = payload.get("reason") or payload.get("title") or payload.get("decision") or ""
    return AuditLine(
        source=Source.EVENT,
        seq=row.log_seq,
        at=row.recorded_at,
        kind=row.event_type,
        actor_id=str(row.actor.get("actor_id", "")),
        on_behalf_of=None,
        about=row.trace_id,
        trace_id=row.trace_id,
        text=str(text),
        surface=row.producer_id,
        line_id=row.event_id,
        hash=row.entry_hash,
        details=payload,
        posted_by=row.posted_by,
        posted_with=row.posted_with,
    )


def _action_line(row: WorkflowAction) -> AuditLine:
    return AuditLine(
        source=Source.ACTION,
        seq=row.action_seq,
        at=row.occurred_at,
        kind=row.action_type,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        about=row.workflow_id,
        trace_id=row.trace_id,
        text=row.text or "",
        surface=row.surface,
        line_id=row.action_id,
        hash=None,
        details={
            "from_status": row.from_status,
            "to_status": row.to_status,
            "reason_code": row.reason_code,
            "assigned_account_id": row.assigned_account_id,
            "assigned_role": row.assigned_role,
            "source_event_id": row.source_event_id,
        },
    )


def _record_line(row: AuditRecord) -> AuditLine:
    return AuditLine(
        source=Source.RECORD,
        seq=row.audit_seq,
        at=row.occurred_at,
        kind=row.category,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        about=row.subject,
        trace_id=None,
        text=row.message,
        surface=row.surface,
        line_id=row.record_id,
        hash=None,
        details={"action": present_action(row.action), "code": row.code, "request_id": row.request_id, **row.details},
    )


TABLES = (
    Table(
        Source.EVENT,
        EventLogEntry,
        EventLogEntry.recorded_at,
        EventLogEntry.log_seq,
        EventLogEntry.event_type,
        _event_actor,
        lambda text: EventLogEntry.trace_id == text,
        _event_line,
        # What facts record is among the actions and the records.
        only=(OF_TRACES,),
    ),
    Table(
        Source.ACTION,
        WorkflowAction,
        WorkflowAction.occurred_at,
        WorkflowAction.action_seq,
        WorkflowAction.action_type,
        lambda name: or_(WorkflowAction.actor_id == name, WorkflowAction.on_behalf_of == name),
        lambda text: or_(WorkflowAction.workflow_id == text, WorkflowAction.trace_id == text),
        _action_line,
    ),
    Table(
        Source.RECORD,
        AuditRecord,
        AuditRecord.occurred_at,
        AuditRecord.audit_seq,
        AuditRecord.category,
        lambda name: or_(AuditRecord.actor_id == name, AuditRecord.on_behalf_of == name),
        lambda text: AuditRecord.subject == text,
        _record_line,
    ),
)
