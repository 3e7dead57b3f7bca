"""The SLA board: what is late or about to be, who has what, and moving it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import REVIEWING_ROLES, Permission
from lotus_web.domain.errors import InvalidInput
from lotus_web.queries.accounts.people import assignable_people
from lotus_web.queries.inbox.filter import NO_ROLE, Due, Tab
from lotus_web.queries.sla.board import DAYS, DayCount, DecisionTimes, Load, sla_board
from lotus_web.queries.sla.pressing import items_held, pressing_items
from lotus_web.store.session import db
from lotus_web.web.charts.bars import Count
from lotus_web.web.charts.loads import LoadRow, TimesRow
from lotus_web.web.format.people import display_name
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.refusal_log import logging_refusals
from lotus_web.web.shell.htmx import is_htmx, page_or_fragment, see_other
from lotus_web.web.shell.query_args import text_arg
from lotus_web.web.sla.form import TypedMove, asked_move
from lotus_web.web.sla.reassign import Moved, move_items

blueprint = Blueprint("sla", __name__)
ROWS = 50


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """What became of a move: a refusal of the form, or what happened to each item."""

    error: InvalidInput | None = None
    moved: tuple[Moved, ...] = ()

    @property
    def failed(self) -> tuple[Moved, ...]:
        """What was not moved."""
        return tuple(one for one in self.moved if one.refusal)


@blueprint.get("/sla")
@requires(Permission.RUNS_READ)
def show() -> ResponseReturnValue:
    """Show the board as it is now; with a person in its address, the items of that person in place of the late ones."""
    return render_board(TypedMove.of(draft_for(url_for("sla.move"))), person=text_arg("person"))


@blueprint.post("/sla")
@requires(Permission.WORKFLOW_ASSIGN)
def move() -> ResponseReturnValue:
    """Give the chosen items to someone else, each for itself, and tell what became of each."""
    typed, person = TypedMove.of(request.form), text_arg("person")
    try:
        with logging_refusals():
            moved = move_items(typed.chosen, asked_move(typed))
    except InvalidInput as wrong:
        return render_board(typed, person=person, status=422, outcome=MoveOutcome(error=wrong))
    outcome = MoveOutcome(moved=moved)
    if outcome.failed:
        left = typed.only(one.workflow_id for one in outcome.failed)
        return render_board(left, person=person, status=409, outcome=outcome)
    if is_htmx():
        return render_board(TypedMove(), person=person, outcome=outcome)
    flash(f"{len(moved)} {'item' if len(moved) == 1 else 'items'} moved to {display_name(typed.target)}.", "success")
    return see_other(url_for("sla.show", person=person))


def render_board(
    typed: TypedMove, *, person: str | None = None, status: int = 200, outcome: MoveOutcome | None = None
) -> Response:
    """Render the board; six queries, whatever it holds."""
    actor, now, session = current_actor(), current.utcnow(), db.session()
    soon = current.settings().deadline_risk_warning_minutes
    board = sla_board(session, actor.tenant_id, now=now, soon_minutes=soon)
    return page_or_fragment(
        "sla/sla.html",
        "sla/_board.html",
        status,
        board=board,
        rows=items_held(session, actor.tenant_id, person, limit=ROWS)
        if person
        else pressing_items(session, actor.tenant_id, now=now, soon_minutes=soon, limit=ROWS),
        person=person,
        load=next((load for load in board.by_person if load.name == person), None),
        here=url_for("sla.show", person=person),
        people=assignable_people(session, actor.tenant_id) if actor.may(Permission.WORKFLOW_ASSIGN) else (),
        roles=REVIEWING_ROLES,
        typed=typed,
        outcome=outcome or MoveOutcome(),
        charts=charts(board.by_person, board.by_role, board.ageing, board.decided, board.escalated, board.times_by_day),
        inbox_of=inbox_of,
        me=actor.decider_id,
        now=now,
        soon_minutes=soon,
        days=DAYS,
    )


def inbox_of(tab: Tab | str = Tab.OPEN, **filters: str) -> str:
    """Return the address of the inbox with these filters."""
    query: dict[str, Any] = {"tab": str(tab), **filters}
    return url_for("inbox.show", **query)


def charts(
    people: Iterable[Load],
    roles: Iterable[Load],
    ageing: Iterable[tuple[Any, int]],
    decided: Iterable[DayCount],
    escalated: Iterable[DayCount],
    times: Iterable[DecisionTimes],
) -> dict[str, list[Any]]:
    """Return the rows of each chart, each with the address of the inbox behind it."""
    return {
        "people": [_load(load, display_name(load.name or ""), Tab.OPEN, person=load.name or "") for load in people],
        "roles": [_queue(load) for load in roles],
        "ageing": [Count(age.label, count, inbox_of(age=age.value)) for age, count in ageing],
        "decided": [Count(_day(one.day), one.count, _decided_on(one.day)) for one in decided],
        "escalated": [Count(_day(one.day), one.count, inbox_of(Tab.ALL, escalated=str(one.day))) for one in escalated],
        "times": [
            TimesRow(_day(one.day), one.sampled, one.p50, one.p90, _decided_on(one.day)) for one in times if one.day
        ],
    }


def _queue(load: Load) -> LoadRow:
    if load.name is None:
        return _load(load, "no role at all", Tab.UNASSIGNED, role=NO_ROLE)
    return _load(load, f"any {load.name}", Tab.UNASSIGNED, role=load.name)


def _load(load: Load, label: str, tab: Tab, **filters: str) -> LoadRow:
    late = inbox_of(tab, due=Due.OVERDUE.value, **filters)
    note = "disabled" if load.disabled else None
    return LoadRow(label, load.open, load.overdue, load.due_soon, inbox_of(tab, **filters), late, note)


def _decided_on(day: date) -> str:
    return inbox_of(Tab.CLOSED, decided=str(day))


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b}" if day else ""
