"""A history of a thousand events and actions, whatever they are: ``workflow rebuild --check`` finds no difference, and a lost inbox comes back whole."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import LotusError
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.models import Run
from lotus_web.services.events.rebuild import rebuild_batch
from lotus_web.store.session import db, transaction
from tests.integration.services.events.test_rebuild_histories import clear, items, snapshot, unguarded_store
from tests.support.histories import (
    ADA,
    FEED,
    MARA,
    NORA,
    OFF,
    POLICY,
    STARTED,
    TOMAS,
    act,
    append,
    approved,
    assert_provable,
    count,
    decide,
    event,
    later,
    record,
    requested,
    review_requested,
)

__all__ = ["unguarded_store"]

LENGTH, STEPS, AT_ONCE = 1_000, 30, 60
PEOPLE = (NORA, TOMAS, MARA, ADA, ADA, ADA, FEED)
DONE = (*Action, *([Action.COMMENT, Action.REQUEST_CHANGE, Action.REASSIGN] * 4))
Command = Callable[[Session], Any]


class LongInbox(RuleBasedStateMachine):
    """A store in which things are done by the dozen; Hypothesis chooses each dozen by its seed."""

    longest = 0

    @initialize()
    def empty(self) -> None:
        """Start with nothing but a few traces of another system."""
        clear()
        with transaction() as session:
            for number in range(1, 7):
                append(session, event(EventType.TRACE_STARTED, STARTED, trace_id=f"t{number}"))
        self.hours, self.turns = 0.0, 0

    @rule(seed=st.integers(0, 2**32))
    def do_many_things(self, seed: int) -> None:
        """Do what busy reviewers do, refusals and all; after every tenth time lose the inbox and rebuild it."""
        self.turns += 1
        draw, known = Random(seed + self.turns), items()
        for _ in range(AT_ONCE):
            self.hours += 0.1
            try:
                with transaction() as session:
                    self.command(draw, known)(session)
            except LotusError:
                continue
        if self.turns % 10 == 0:
            self.compare_and_rebuild()

    def compare_and_rebuild(self) -> None:
        """Compare by the command, lose the inbox, rebuild it and compare with what was there."""
        self.prove()
        before = snapshot()
        with transaction() as session:
            session.execute(text("DELETE FROM dg_workflow_items"))
            rebuild_batch(session, "default")
        assert snapshot() == before

    def command(self, draw: Random, known: list[str]) -> Command:
        """Return one thing to do; what leaves things open is done more often than what closes them."""
        number, trace, name = draw.randint(1, 40), f"t{draw.randint(1, 6)}", f"x{draw.randint(1, 6)}"
        who = draw.choice(PEOPLE)
        kind = draw.choices(range(6), weights=(2, 3, 16, 0.3, 1, 6))[0]
        if kind == 2 and not known:
            kind = 0
        match kind:
            case 0:
                how: dict[str, Any] = {"status": draw.choice(["READY", "PENDING_REVIEW", "BLOCKED"])}
                how["policy"] = OFF if draw.random() < 0.1 else POLICY
                return lambda session: once(session, number, **how)
            case 1:
                action = draw.choices(list(GateAction), weights=(1, 1, 3))[0]
                return lambda session: decide(session, number, action, actor=who)
            case 2:
                item, doing, at = draw.choice(known), draw.choice(DONE), later(self.hours)
                return lambda session: act(session, item, doing, actor=who, now=at)
            case 3:
                return lambda session: append(session, event(EventType.TRACE_STARTED, STARTED, trace_id=trace))
            case 4:
                review = draw.random() < 0.5
                asked = review_requested(name) if review else requested(name)
                kind_of = EventType.WORKFLOW_REVIEW_REQUESTED if review else EventType.EXCEPTION_REQUESTED
                return lambda session: append(session, event(kind_of, asked, trace_id=trace))
        subject = draw.choice(["exception", "trace_review", "override"])
        target = f"{trace}:exception:{name}" if subject == "override" else name
        said = approved(subject, target, draw.choice(["approved", "rejected"]))
        return lambda session: append(session, event(EventType.APPROVAL_RECORDED, said, trace_id=trace))

    def prove(self) -> None:
        done = current_app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"])
        assert done.exit_code == 0, done.output
        assert_provable()

    def teardown(self) -> None:
        """Prove what there is at the end, and note how long a history it was."""
        self.prove()
        type(self).longest = max(self.longest, count("dg_event_log") + count("dg_workflow_actions"))


def once(session: Session, number: int, **how: Any) -> None:
    """Record a run unless it was recorded before."""
    if session.get(Run, ("default", f"rr_{number:08x}")) is None:
        record(session, number, **how)


@pytest.mark.usefixtures("unguarded_store")
def test_a_thousand_events_and_actions_can_be_rebuilt_and_proved(app: Flask) -> None:
    LongInbox.longest = 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LongInbox,
        settings=settings(
            max_examples=1,
            stateful_step_count=STEPS,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    db.session.rollback()
    assert LongInbox.longest >= LENGTH
