"""Whatever people, jobs and other systems do, in whatever order: the rebuild equals what is there and the chain verifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import LotusError
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.items.actions import Action
from lotus_web.models import EventLogEntry, WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.services.events.rebuild import rebuild_batch
from lotus_web.services.studio import SOURCE as STUDIO
from lotus_web.store.session import db, transaction
from tests.support.histories import (
    ADA,
    FEED,
    MARA,
    NORA,
    OFF,
    POLICY,
    STARTED,
    TOMAS,
    VIEW,
    act,
    append,
    approved,
    assert_provable,
    contents,
    decide,
    event,
    later,
    record,
    requested,
    review_requested,
    submitted,
    withdrawn,
)

# Few of each, with colons in them, so that ids collide and actions meet.
TRACES = st.sampled_from(["t", "t:exception:x", "corr-1", "corr-2"])
NAMES = st.sampled_from(["x", "x:exception:y", "y", "rr_00000001"])
PEOPLE = st.sampled_from([NORA, TOMAS, MARA, ADA, VIEW, FEED])
NUMBERS = st.integers(1, 4)
PROPOSALS = st.sampled_from(["pp_1", "t"])


class Inbox(RuleBasedStateMachine):
    """A store in which anything may be tried; what is refused must leave no mark."""

    hours = 0.0

    def attempt(self, call: Any) -> None:
        """Run one command in its own transaction; a refusal must have changed nothing."""
        before = contents()
        try:
            with transaction() as session:
                call(session)
        except LotusError:
            assert contents() == before
        type(self).hours += 0.5

    @initialize()
    def empty(self) -> None:
        """Start each history of a run in a tenant-free store: rows of the one before are somebody else's."""
        type(self).hours = 0.0
        clear()

    @rule(
        number=NUMBERS,
        status=st.sampled_from(["READY", "PENDING_REVIEW", "BLOCKED"]),
        shared=st.booleans(),
        on=st.booleans(),
    )
    def record_a_run(self, number: int, status: str, shared: bool, on: bool) -> None:
        if db.session.scalar(
            text("SELECT count(*) FROM dpm_runs WHERE rebalance_run_id = :id"), {"id": f"rr_{number:08x}"}
        ):
            return
        how = {"status": status, "correlation_id": "t" if shared else None, "policy": POLICY if on else OFF}
        self.attempt(lambda session: record(session, number, **how))

    @rule(number=NUMBERS, action=st.sampled_from(GateAction), actor=PEOPLE)
    def decide_a_run(self, number: int, action: GateAction, actor: Any) -> None:
        self.attempt(lambda session: decide(session, number, action, actor=actor))

    @precondition(lambda self: items())
    @rule(data=st.data(), action=st.sampled_from(Action), actor=PEOPLE)
    def act_on_an_item(self, data: st.DataObject, action: Action, actor: Any) -> None:
        item = data.draw(st.sampled_from(items()))
        self.attempt(lambda session: act(session, item, action, actor=actor, now=later(self.hours)))

    @rule(trace=TRACES)
    def start_a_trace(self, trace: str) -> None:
        self.attempt(lambda session: append(session, event(EventType.TRACE_STARTED, STARTED, trace_id=trace)))

    @rule(trace=TRACES, name=NAMES, review=st.booleans())
    def ask_for_a_review_from_outside(self, trace: str, name: str, review: bool) -> None:
        if review:
            draft = event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(name), trace_id=trace)
        else:
            draft = event(EventType.EXCEPTION_REQUESTED, requested(name), trace_id=trace)
        assert draft.source.producer_id != OWN_PRODUCER
        self.attempt(lambda session: append(session, draft))

    @rule(trace=TRACES, name=NAMES)
    def ask_for_a_review_in_the_house(self, trace: str, name: str) -> None:
        draft = event(EventType.WORKFLOW_REVIEW_REQUESTED, review_requested(name), trace_id=trace, source=STUDIO)
        self.attempt(lambda session: append(session, draft))

    @rule(
        trace=TRACES,
        name=NAMES,
        subject=st.sampled_from(["exception", "trace_review", "override"]),
        yes=st.booleans(),
        hours=st.sampled_from([-9, 0, 9]),
    )
    def decide_from_outside(self, trace: str, name: str, subject: str, yes: bool, hours: int) -> None:
        target = f"{trace}:exception:{name}" if subject == "override" else name
        payload = approved(subject, target, "approved" if yes else "rejected")
        draft = event(EventType.APPROVAL_RECORDED, payload, trace_id=trace, occurred_at=later(hours))
        before = of_the_house()
        self.attempt(lambda session: append(session, draft))
        assert of_the_house() == before

    @rule(proposal=PROPOSALS, version=st.integers(1, 3), maker=PEOPLE)
    def submit_a_proposal(self, proposal: str, version: int, maker: Any) -> None:
        how = {"now": later(self.hours), "made_by": maker.actor_id}
        self.attempt(lambda session: submitted(session, proposal, version, **how))

    @rule(proposal=PROPOSALS, actor=PEOPLE)
    def withdraw_the_review_of_a_proposal(self, proposal: str, actor: Any) -> None:
        self.attempt(lambda session: withdrawn(session, proposal, actor=actor, now=later(self.hours)))

    @rule(proposal=PROPOSALS, yes=st.booleans(), own=st.booleans())
    def decide_a_proposal(self, proposal: str, yes: bool, own: bool) -> None:
        payload = approved("proposal", proposal, "approved" if yes else "rejected")
        how = {"trace_id": proposal, "occurred_at": later(self.hours)} | ({"source": STUDIO} if own else {})
        before = of_the_house()
        self.attempt(lambda session: append(session, event(EventType.APPROVAL_RECORDED, payload, **how)))
        assert own or of_the_house() == before

    @invariant()
    def everything_is_provable(self) -> None:
        assert_provable()

    @invariant()
    def nothing_is_decided_before_it_was_asked(self) -> None:
        assert [item for item in snapshot() if item.resolved_at and item.resolved_at < item.requested_at] == []

    @rule()
    def lose_the_inbox_and_rebuild_it(self) -> None:
        before = snapshot()
        with transaction() as session:
            session.execute(text("DELETE FROM dg_workflow_items"))
            rebuild_batch(session, "default")
        assert snapshot() == before


def items() -> list[str]:
    found = list(db.session.scalars(db.select(WorkflowItem.workflow_id).order_by(WorkflowItem.workflow_id)))
    db.session.rollback()
    return found


def snapshot() -> list[Any]:
    db.session.rollback()
    rows = db.session.scalars(db.select(WorkflowItem).order_by(WorkflowItem.workflow_id)).all()
    db.session.rollback()
    return [item_state(row) for row in rows]


def of_the_house() -> list[Any]:
    """Return the items that events of this system opened."""
    opener = EventLogEntry.event_id == WorkflowItem.created_from_event_id
    query = db.select(WorkflowItem).join(EventLogEntry, opener).where(EventLogEntry.producer_id == OWN_PRODUCER)
    found = [item_state(row) for row in db.session.scalars(query.order_by(WorkflowItem.workflow_id))]
    db.session.rollback()
    return found


def clear() -> None:
    """Empty every table, as only a test may: without the triggers, which were dropped for this store."""
    with transaction() as session:
        for table in reversed(db.metadata.sorted_tables):
            session.execute(table.delete())


@pytest.fixture
def unguarded_store(app: Flask) -> Iterator[None]:
    with app.app_context():
        with transaction() as session:
            postgres = session.get_bind().dialect.name == "postgresql"
            query = (
                "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
                if postgres
                else "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
            )
            for name, table in session.execute(text(query)).all():
                session.execute(text(f"DROP TRIGGER {name}" + (f" ON {table}" if postgres else "")))
        yield


@pytest.mark.usefixtures("unguarded_store")
def test_any_history_can_be_rebuilt_and_proved() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Inbox,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
