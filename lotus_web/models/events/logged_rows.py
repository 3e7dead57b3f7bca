"""Which rows are entries of the log as well, and what their entries say of them.

Written by services/events/facts.py, compared by queries/audit. A new table that anybody may rely on is one more row here, or in
the list of tests/integration/queries/audit/test_tampering.py with the reason why not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, inspect, literal
from sqlalchemy.dialects import sqlite

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.canonical import HASH_PREFIX, canonical_json
from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.events.facts import Fact, FactType
from lotus_web.domain.items.state import Origin
from lotus_web.domain.retention import RetentionEntryType
from lotus_web.models.accounts import ApiToken, Person, PersonRole, PersonSession, ServiceAccount
from lotus_web.models.audit import AuditRecord
from lotus_web.models.decisions import Decision
from lotus_web.models.events.log import EventLogEntry
from lotus_web.models.item_actions import WorkflowAction
from lotus_web.models.operations import RetentionEntry
from lotus_web.models.policy_packs import StoredPolicyPack
from lotus_web.models.proposals import Proposal, ProposalApproval, ProposalDocument, ProposalEventRow, ProposalVersion
from lotus_web.models.runs import Run, RunArtifact, RunPayload
from lotus_web.models.sign_in import Passkey, RecoveryCode
from lotus_web.store.types import Base, SentJson


def _always(_row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class LoggedTable:
    """A table whose rows have entries.

    ``key`` names a row, within its tenant where it has one; ``at`` are the times of which the last is when the row came to be
    as it is. ``unlogged`` columns move and are proved otherwise, ``hashed`` ones are secrets. ``logs`` and ``logged_where``
    say the same of a row and in SQL: whether it is one that has entries. ``may_go``: nobody relies on its being there, or only until
    the retention log says ``purged_as``.
    A table that ``moves`` has an entry for each state of a row and for its end; the rows of any other are only added.
    """

    fact_type: FactType
    noun: str
    model: Any
    key: tuple[str, ...]
    at: tuple[str, ...]
    unlogged: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    logs: Callable[[Any], bool] = _always
    logged_where: tuple[ColumnElement[bool], ...] = ()
    may_go: bool = False
    purged_as: RetentionEntryType | None = None
    moves: bool = False
    columns: Mapping[str, Callable[[Any], Any] | None] = field(init=False)

    def __post_init__(self) -> None:
        """Look up once how each column is told."""
        kinds = {column.key: column.columns[0].type for column in inspect(self.model).column_attrs}
        told = {
            name: _secret_hash if name in self.hashed else _sent_hash if isinstance(kind, SentJson) else None
            for name, kind in kinds.items()
            if name not in self.unlogged
        }
        object.__setattr__(self, "columns", told)

    @property
    def of_deployment(self) -> bool:
        """Whether its rows are of no tenant or of several: their entries are in the log of the default tenant."""
        return not hasattr(self.model, "tenant_id") or self.model in (PersonRole, PersonSession)

    def document(self, row: Base) -> dict[str, Any]:
        """Return what the entry of a row says."""
        return {name: _told(getattr(row, name), how) for name, how in self.columns.items()}

    def about(self, row: Base) -> str:
        """Return the name of a row in its entry's key."""
        return ":".join(str(_told(getattr(row, name), self.columns[name])) for name in self.key)

    def fact(self, row: Any, says: Mapping[str, Any] | None = None) -> Fact:
        """Return the entry of a row as it is stored."""
        said = self.document(row) if says is None else says
        times = [at for name in self.at if (at := getattr(row, name)) is not None]
        return Fact(self.tenant_of(row), self.fact_type, self.about(row), said, _last(times), moves=self.moves)

    def removal(self, row: Any) -> Fact:
        """Return the entry of the end of a row."""
        gone = {name: _told(getattr(row, name), self.columns[name]) for name in self.key} | {"removed": True}
        return Fact(self.tenant_of(row), self.fact_type, self.about(row), gone, None, moves=True)

    def tenant_of(self, row: Any) -> str:
        """Return the tenant in whose log the entries of a row are."""
        return DEFAULT_TENANT if self.of_deployment else str(row.tenant_id)

    def of_tenant(self, tenant_id: str) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions for the rows whose entries are in a tenant's log."""
        own = () if self.of_deployment else (self.model.tenant_id == tenant_id,)
        return (*own, *self.logged_where)

    def is_logged(self) -> ColumnElement[bool]:
        """Return the condition that a row that is only added has its entry, answered by the index of keys."""
        about: ColumnElement[Any] = literal("")
        for name in self.key:
            column = getattr(self.model, name)
            part = column if isinstance(column.type, String) else cast(column, String)
            about = about.concat(part).concat(literal(":"))
        own = and_(EventLogEntry.tenant_id == self.model.tenant_id, EventLogEntry.producer_id == OWN_PRODUCER)
        return exists().where(own, EventLogEntry.idempotency_key == about.concat(literal(self.fact_type.value)))


def _last(times: list[datetime]) -> datetime | None:
    return max(times, default=None)


def _told(value: Any, how: Callable[[Any], Any] | None) -> Any:
    if how is not None:
        return None if value is None else how(value)
    return bytes_hash(value) if isinstance(value, bytes) else value


def bytes_hash(stored: bytes) -> str:
    """Return the hash by which an entry names bytes as they are stored."""
    return HASH_PREFIX + sha256(stored).hexdigest()


def _secret_hash(stored: str) -> str:
    return bytes_hash(stored.encode())


def _sent_hash(value: Any) -> str:
    """Return the hash of the text in which a value that was sent is stored; numbers of any kind are in it."""
    return bytes_hash(str(SentJson().process_bind_param(value, _DIALECT)).encode())


_DIALECT = sqlite.dialect()
ACTIONS = LoggedTable(
    FactType.ACTION_RECORDED,
    "action",
    WorkflowAction,
    ("action_id",),
    ("occurred_at",),
    # Actions that an event caused are compared with that event (services/events/rebuild.py).
    logs=lambda row: row.origin == Origin.MANUAL.value,
    logged_where=(WorkflowAction.origin == Origin.MANUAL.value,),
)
DECISIONS = LoggedTable(FactType.DECISION_RECORDED, "decision", Decision, ("decision_id",), ("decided_at",))
RETENTION = LoggedTable(FactType.RETENTION_RECORDED, "retention entry", RetentionEntry, ("entry_id",), ("recorded_at",))
# A legal hold moves; the retention log tells how.
RUNS = LoggedTable(
    FactType.RUN_RECORDED, "run", Run, ("rebalance_run_id",), ("created_at",), unlogged=frozenset({"legal_hold"})
)
RECORDS = LoggedTable(FactType.AUDIT_RECORDED, "audit record", AuditRecord, ("record_id",), ("occurred_at",))
# What moves of a proposal is compared with its last event, and its end with the retention log (queries/audit/standing.py).
PROPOSALS = LoggedTable(
    FactType.PROPOSAL_RECORDED,
    "proposal",
    Proposal,
    ("proposal_id",),
    ("created_at",),
    unlogged=frozenset({"current_state", "current_version_no", "last_event_at", "legal_hold"}),
    purged_as=RetentionEntryType.PROPOSAL_PURGED,
)
OF_PROPOSALS = (
    LoggedTable(FactType.PROPOSAL_EVENT_RECORDED, "proposal event", ProposalEventRow, ("event_id",), ("occurred_at",)),
    LoggedTable(FactType.APPROVAL_RECORDED, "approval", ProposalApproval, ("approval_id",), ("occurred_at",)),
    LoggedTable(FactType.VERSION_RECORDED, "version", ProposalVersion, ("proposal_version_id",), ("created_at",)),
    # That documents are missing is found with their version (queries/audit/proposals.py).
    LoggedTable(
        FactType.DOCUMENT_RECORDED,
        "documents of",
        ProposalDocument,
        ("proposal_id", "version_no"),
        (),
        may_go=True,
    ),
)
ACCESS = (
    LoggedTable(
        FactType.PERSON_RECORDED,
        "person",
        Person,
        ("name",),
        ("created_at", "disabled_at", "password_set_at"),
        hashed=frozenset({"password_hash"}),
        moves=True,
    ),
    LoggedTable(FactType.ROLE_RECORDED, "role", PersonRole, ("name", "tenant_id", "role"), ("given_at",), moves=True),
    LoggedTable(
        FactType.ACCOUNT_RECORDED,
        "service account",
        ServiceAccount,
        ("name",),
        ("created_at", "disabled_at"),
        moves=True,
    ),
    LoggedTable(
        FactType.TOKEN_RECORDED,
        "token",
        ApiToken,
        ("token_id",),
        ("created_at", "revoked_at"),
        hashed=frozenset({"secret_hash"}),
        moves=True,
    ),
    # A sign-in, a change of tenant and a sign-out; a session that ended is removed after a while.
    LoggedTable(
        FactType.SESSION_RECORDED,
        "session",
        PersonSession,
        ("session_hash",),
        ("created_at", "revoked_at"),
        unlogged=frozenset({"last_seen_at", "draft"}),
        hashed=frozenset({"session_hash"}),
        may_go=True,
        moves=True,
    ),
    LoggedTable(
        FactType.PACK_RECORDED, "policy pack", StoredPolicyPack, ("policy_pack_id",), ("updated_at",), moves=True
    ),
)
PASSKEYS = LoggedTable(
    FactType.PASSKEY_RECORDED,
    "passkey",
    Passkey,
    ("passkey_id",),
    ("created_at", "removed_at"),
    unlogged=frozenset({"sign_count", "last_used_at"}),
    moves=True,
)
RECOVERY_CODES = LoggedTable(
    FactType.RECOVERY_CODE_RECORDED,
    "recovery code",
    RecoveryCode,
    ("code_id",),
    ("created_at", "used_at"),
    hashed=frozenset({"code_hash"}),
    moves=True,
)
LOGGED: tuple[LoggedTable, ...] = (
    RUNS,
    ACTIONS,
    DECISIONS,
    RETENTION,
    RECORDS,
    PROPOSALS,
    *OF_PROPOSALS,
    *ACCESS,
    PASSKEYS,
    RECOVERY_CODES,
)
# Logged as soon as they are flushed. A run is not: its entry tells of its payloads too.
FLUSHED: Mapping[type[Base], LoggedTable] = {table.model: table for table in LOGGED if table is not RUNS}


def is_said(document: Mapping[str, Any], payload: str) -> bool:
    """Return whether an entry says what a row's document says; a column that came after the entry must be null."""
    if canonical_json(document) == payload:
        return True
    said = json.loads(payload)
    later = document.keys() - said.keys()
    known = {name: value for name, value in document.items() if name in said}
    return canonical_json(known) == payload and all(document[name] is None for name in later)


def run_fact(run: Run, payload: RunPayload, artifact: RunArtifact | None) -> Fact:
    """Return the entry of a recorded run, with the hashes of the request, the result and the artifact as they are stored."""
    return RUNS.fact(run, run_document(run, payload, artifact))


def run_document(run: Run, payload: RunPayload, artifact: RunArtifact | None) -> dict[str, Any]:
    """Return what the entry of a run says."""
    return RUNS.document(run) | {
        "request": bytes_hash(payload.request),
        "result": bytes_hash(payload.result),
        "policy_pack": payload.policy_pack,
        "artifact": None if artifact is None else bytes_hash(artifact.artifact),
    }
