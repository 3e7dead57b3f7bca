"""Large demo tenants: the same rows as through the services, built in memory and written in bulk.

Each distinct request meets the engine once; runs that repeat it share its result under ids of their own. Everything that
follows (events, chain, items, actions, decisions) comes from the same pure functions that the services call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.actors import FEED, STAFF, asked
from lotus_web.demo.load import Progress
from lotus_web.demo.run_templates import RunTemplate, template_for
from lotus_web.demo.timeline import Moment
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventDraft, EventType
from lotus_web.domain.events.facts import Fact
from lotus_web.domain.events.projection import Effect, fold_action, fold_event
from lotus_web.domain.items.actions import ACTIONS, Hold
from lotus_web.domain.items.staleness import evidence_digest
from lotus_web.domain.items.state import ItemState, TraceContext
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.items.transitions import check_action
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.surface import Surface
from lotus_web.models import (
    Decision,
    EventLogEntry,
    IdempotencyHistoryRow,
    IdempotencyKey,
    Notification,
    Run,
    RunPayload,
    WorkflowAction,
    WorkflowItem,
)
from lotus_web.models.events.logged_rows import ACTIONS as ACTIONS_LOGGED
from lotus_web.models.events.logged_rows import DECISIONS, run_fact
from lotus_web.services.command import CommandContext
from lotus_web.services.events.facts import fact_entries
from lotus_web.services.events.item_rows import action_row, item_columns, notice_columns
from lotus_web.services.events.log import chained_entry, lock_tenant
from lotus_web.services.events.projection import logged_event
from lotus_web.services.items.action_records import ReviewCase, approval_draft, decision_row, manual_record
from lotus_web.services.lineage import End, lineage_edge
from lotus_web.services.runs.events import exception_requested, policy_evaluated, run_event, trace_started
from lotus_web.services.support import bring_up_to_date
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import transaction
from lotus_web.store.types import Base
from lotus_web.wire.packed import pack

RUNS_A_BATCH = 2_000


@dataclass(slots=True)
class _Trace:
    """What is still needed of a run's trace while actions on it are to come."""

    run: Run
    context: TraceContext
    next_seq: int
    item: ItemState | None = None


class BulkLoad:
    """Collects rows and writes them a batch at a time; the chain's head travels along."""

    def __init__(self, policy: DeploymentPolicy, seed: int):
        self.policy, self.seed = policy, seed
        self.rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self.traces: dict[int, _Trace] = {}
        self.log_seq = 0
        self.head = ""
        self.entries, self.appended = 0, 0
        self.numbers: dict[type[Base], int] = {}
        self.last_at: datetime | None = None
        self.runs_waiting = 0
        self.used_ids: set[str] = set()

    def load(self, story: Iterable[Moment], progress: Progress) -> None:
        """Write every moment of the story."""
        self._begin()
        for moment in story:
            self.last_at = moment.at
            if moment.action is None:
                self._record(moment)
                self.runs_waiting += 1
            else:
                self._act(moment)
            if self.runs_waiting >= RUNS_A_BATCH:
                progress(self._flush())
        for trace in self.traces.values():
            self._settle(trace)
        progress(self._flush())
        with transaction() as session:
            bring_up_to_date(session, DEFAULT_TENANT)

    def _begin(self) -> None:
        with transaction() as session:
            runtime = lock_tenant(session, DEFAULT_TENANT)
            self.head = runtime.head_hash
            self.entries = runtime.entry_count
            self.log_seq = session.scalar(select(func.max(EventLogEntry.log_seq))) or 0
            for model, name in _NUMBERS.items():
                self.numbers[model] = session.scalar(select(func.max(getattr(model, name)))) or 0

    def _flush(self) -> int:
        with transaction() as session:
            for model, rows in self.rows.items():
                session.execute(insert(model), rows)
            runtime = lock_tenant(session, DEFAULT_TENANT)
            runtime.head_hash, runtime.last_log_seq = self.head, self.log_seq
            runtime.entry_count += self.appended
            self.entries = runtime.entry_count
            runtime.updated_at = self.last_at or runtime.updated_at
            _advance_sequences(session)
        written, self.runs_waiting, self.appended = self.runs_waiting, 0, 0
        self.rows.clear()
        return written

    def _add(self, row: Base) -> None:
        values = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
        self.rows[type(row)].append(
            {key: value for key, value in values.items() if value is not None or key not in _SERIAL}
        )

    def _run_id(self) -> str:
        while (run_id := new_id("rr_", 8)) in self.used_ids:
            pass
        self.used_ids.add(run_id)
        return run_id

    def _record(self, moment: Moment) -> None:
        template = template_for(self.seed, moment.run)
        run, result = template.run(moment.run, run_id=self._run_id(), actor=FEED, now=moment.at)
        self._add(run)
        payload = RunPayload(
            tenant_id=run.tenant_id,
            rebalance_run_id=run.rebalance_run_id,
            request=template.request,
            result=pack(result),
        )
        self._add(payload)
        self._keys(run, moment.at)
        self._events(run, template, moment)
        self._chain_facts([run_fact(run, payload, None)], moment.at)

    def _keys(self, run: Run, now: datetime) -> None:
        key = {
            "tenant_id": run.tenant_id,
            "idempotency_key": run.idempotency_key,
            "request_hash": run.request_hash,
            "rebalance_run_id": run.rebalance_run_id,
            "created_at": now,
        }
        self._add(IdempotencyKey(**key))
        self._add(IdempotencyHistoryRow(**key, correlation_id=run.correlation_id))
        correlation, key_end = (
            (EntityKind.CORRELATION, run.correlation_id),
            (EntityKind.IDEMPOTENCY_KEY, run.idempotency_key or ""),
        )
        run_end, metadata = (EntityKind.RUN, run.rebalance_run_id), {"request_hash": run.request_hash}
        self._edge(EdgeType.CORRELATION_TO_RUN, correlation, run_end, now, metadata)
        self._edge(EdgeType.IDEMPOTENCY_TO_RUN, key_end, run_end, now, metadata)

    def _edge(self, edge_type: EdgeType, source: End, target: End, now: datetime, metadata: Mapping[str, Any]) -> None:
        self._add(lineage_edge(edge_type, source, target, tenant_id=DEFAULT_TENANT, now=now, metadata=metadata))

    def _events(self, run: Run, template: RunTemplate, moment: Moment) -> None:
        if not self.policy.workflow_enabled:
            return
        trace = _Trace(run, TraceContext.from_payload(trace_started(run)), 0)
        payloads: list[tuple[EventType, Mapping[str, Any]]] = [
            (EventType.TRACE_STARTED, trace_started(run)),
            (EventType.POLICY_EVALUATED, policy_evaluated(run, template.result)),
        ]
        if self.policy.requires_review(run.status):
            payloads.append((EventType.EXCEPTION_REQUESTED, exception_requested(run, template.result)))
        for event_type, payload in payloads:
            self._append(trace, run_event(run, event_type, payload, actor=FEED, now=moment.at), moment.at)
        if trace.item is not None:
            self.traces[moment.run.index] = trace

    def _chain_facts(self, facts: Iterable[Fact], now: datetime) -> None:
        entries = fact_entries(facts, place=self.entries + self.appended + 1, prev_hash=self.head, now=now)
        for entry in entries:
            self._chain(entry)

    def _chain(self, entry: EventLogEntry) -> None:
        self.log_seq += 1
        entry.log_seq, self.head = self.log_seq, entry.entry_hash
        self.appended += 1
        self._add(entry)

    def _append(self, trace: _Trace, draft: EventDraft, now: datetime) -> None:
        entry = chained_entry(
            draft, trace_seq=trace.next_seq, prev_hash=self.head, defaults=self.policy.defaults, now=now
        )
        self._chain(entry)
        trace.next_seq += 1
        effect = fold_event(trace.item, logged_event(entry), trace.context, opened_by=OWN_PRODUCER)
        if effect is not None:
            self._effect(trace, effect)

    def _effect(self, trace: _Trace, effect: Effect) -> None:
        trace.item = effect.item
        if effect.action is not None:
            self._add(self._numbered(action_row(effect.action)))
        for notice in effect.notices:
            self._add(Notification(**notice_columns(notice)))

    def _act(self, moment: Moment) -> None:
        trace = self.traces[moment.run.index]
        if moment.action is None or trace.item is None:
            return
        actor, item = STAFF[moment.action.actor], trace.item
        request = replace(asked(moment.action, item.workflow_id), confirm_text=None)
        digest = evidence_digest(item, Evidence(trace.run.artifact_hash, trace.run.submitted_by))
        after = check_action(item.facts, actor, request.action)
        context = CommandContext(actor, Surface.FORM, moment.run.correlation_id, moment.at, self.policy)
        case = ReviewCase(item, request, after, context, digest)
        decision = decision_row(case)
        if decision is not None:
            self._add(self._numbered(decision))
            ends = (EntityKind.RUN, decision.run_id), (EntityKind.DECISION, decision.decision_id)
            self._edge(EdgeType.DECIDED_BY, *ends, moment.at, {"action": decision.action})
        facts = [] if decision is None else [DECISIONS.fact(decision)]
        approval = ACTIONS[request.action].approval
        if approval is not None:
            approval_id = decision.decision_id if decision else new_id("apr_", 12)
            self._append(trace, approval_draft(case, approval, approval_id), moment.at)
        else:
            facts.append(self._manual(trace, case))
        self._chain_facts(facts, moment.at)

    def _manual(self, trace: _Trace, case: ReviewCase) -> Fact:
        account, role = case.asked.assigned_account_id, None
        hold = ACTIONS[case.asked.action].hold
        if hold is Hold.CLAIM:
            account = case.context.actor.decider_id
        elif hold is Hold.ESCALATE:
            account, role = self.policy.defaults.escalation_account_id, self.policy.defaults.escalation_role
        record = manual_record(case, account=account, role=role, after_log_seq=self.log_seq)
        row = self._numbered(action_row(record))
        self._add(row)
        self._effect(trace, fold_action(case.item, record))
        return ACTIONS_LOGGED.fact(row)

    def _numbered(self, row: WorkflowAction | Decision) -> WorkflowAction | Decision:
        """Give a row its number, which its entry tells."""
        name = _NUMBERS[type(row)]
        self.numbers[type(row)] += 1
        setattr(row, name, self.numbers[type(row)])
        return row

    def _settle(self, trace: _Trace) -> None:
        if trace.item is not None:
            self._add(WorkflowItem(**item_columns(trace.item), risk_told=False))


_SERIAL = frozenset({"notification_seq", "edge_id", "history_id"})
_NUMBERS: Mapping[type[Base], str] = {WorkflowAction: "action_seq", Decision: "decision_seq"}


def _advance_sequences(session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        return
    numbered: dict[type[Base], str] = {EventLogEntry: "log_seq", **_NUMBERS}
    for model, name in numbered.items():
        last = func.max(getattr(model, name))
        sequence = func.pg_get_serial_sequence(model.__tablename__, name)
        # An empty table is left alone: its sequence would begin at null.
        session.execute(select(func.setval(sequence, last)).having(last.is_not(None)))
