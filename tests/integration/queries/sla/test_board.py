"""The manager's board says who is late and how decisions went, and costs what is open and recent."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.decisions.reason_codes import reason_text
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.queries.decisions.reasons import ReasonLine, reason_report
from lotus_web.queries.sla.board import AGES, Load, SlaBoard, sla_board
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.store.session import db, transaction
from tests.support.events import NOON, POLICY, open_item, person

NORA = person("nora", Role.REVIEWER)
NOW = NOON + timedelta(hours=10)


def act(app: Flask, workflow_id: str, action: Action, *, hours: float, code: str | None = None) -> None:
    with app.app_context(), transaction() as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, text="so be it", reason_code=code),
            CommandContext(NORA, Surface.FORM, "c", NOON + timedelta(hours=hours), POLICY),
        )


def board() -> SlaBoard:
    return sla_board(db.session(), "default", now=NOW, soon_minutes=30)


def test_open_items_are_counted_by_who_has_them_and_how_old_they_are(app: Flask, session: Session) -> None:
    open_item(app, "late", at=NOON)
    open_item(app, "soon", at=NOON + timedelta(hours=6, minutes=10))
    held = open_item(app, "held", at=NOON + timedelta(hours=9, minutes=30))
    act(app, held, Action.CLAIM, hours=9.6)
    moved = open_item(app, "moved", at=NOON + timedelta(hours=1))
    act(app, moved, Action.ESCALATE, hours=2)
    found = board()
    assert (found.open, found.overdue, found.due_soon, found.unowned) == (4, 2, 1, 3)
    assert found.by_person == (Load("nora", 1, 0, 0),)
    assert found.by_role == (Load("reviewer", 2, 1, 1), Load("manager", 1, 1, 0))
    assert found.ageing == tuple(zip(AGES, (1, 1, 0, 2, 0, 0), strict=True))
    assert [day.count for day in found.escalated[-1:]] == [1]


def test_decisions_are_counted_by_day_with_how_long_they_took(app: Flask, session: Session) -> None:
    for number in range(10):
        workflow_id = open_item(app, f"t{number}", at=NOON)
        act(app, workflow_id, Action.APPROVE, hours=(number + 1) / 10)
    yesterday = open_item(app, "y", at=NOON - timedelta(days=1))
    act(app, yesterday, Action.REJECT, hours=-23)
    ages_ago = open_item(app, "z", at=NOON - timedelta(days=40))
    act(app, ages_ago, Action.REJECT, hours=-24 * 39)
    found = board()
    assert len(found.decided) == 14
    assert [day.count for day in found.decided][-3:] == [0, 1, 10]
    assert found.decided[-1].day == NOON.date()
    assert (found.times_by_day[-1].p50, found.times_by_day[-1].p90) == (30 * 60, 54 * 60)
    assert (found.times.sampled, found.times_capped) == (11, False)
    assert found.times_by_day[0].p50 is None


def test_an_empty_board_is_a_board(session: Session) -> None:
    found = board()
    assert (found.open, found.by_person, found.times.p50) == (0, (), None)


def test_reasons_are_reported_by_action_and_code(app: Flask, session: Session) -> None:
    for number, code in enumerate(["WITHIN_MANDATE", "WITHIN_MANDATE", "OTHER", None]):
        act(app, open_item(app, f"t{number}"), Action.APPROVE, hours=1, code=code)
    act(app, open_item(app, "r"), Action.REJECT, hours=1, code="LIMIT_BREACH")
    act(app, open_item(app, "late"), Action.REJECT, hours=20, code="LIMIT_BREACH")
    found = reason_report(db.session(), "default", since=NOON, until=NOW)
    assert found.lines == (
        ReasonLine("approve", "WITHIN_MANDATE", "The outcome is within the mandate", 2, 50),
        ReasonLine("approve", None, "No code given", 1, 25),
        ReasonLine("approve", "OTHER", reason_text(Action.APPROVE, "OTHER"), 1, 25),
        ReasonLine("reject", "LIMIT_BREACH", "The breach of a limit cannot be accepted", 1, 100),
    )
    assert found.totals["override"] == 0
    assert not found.capped
