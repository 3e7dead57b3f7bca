"""Precedents: earlier decisions under the same failing rules, then on the same portfolio, newest first."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.precedents import Precedents
from lotus_web.domain.items.transitions import override_phrase
from lotus_web.domain.surface import Surface
from lotus_web.queries.items.lookup import stored_item
from lotus_web.queries.items.precedents import item_precedents
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.store.session import db, transaction
from tests.support.events import NOON, POLICY, open_item, person

ADA = person("ada", Role.ADMIN)


def decided(app: Flask, trace_id: str, action: Action, *, minutes: int, hour: int = 0, **how: object) -> str:
    """Open an item at noon plus ``hour`` and decide it ``minutes`` later."""
    at = NOON + timedelta(hours=hour)
    workflow_id = open_item(app, trace_id, at=at, **how)
    with app.app_context(), transaction() as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, text="so be it", confirm_text=override_phrase(workflow_id)),
            CommandContext(ADA, Surface.FORM, "c", at + timedelta(minutes=minutes), POLICY),
        )
    return workflow_id


def of(workflow_id: str) -> Precedents:
    item = stored_item(db.session(), "default", workflow_id)
    return item_precedents(db.session(), item, now=NOON + timedelta(days=1))


def test_what_failed_the_same_rules_comes_first_and_is_counted(app: Flask, session: Session) -> None:
    oldest = decided(app, "a", Action.APPROVE, minutes=10, hour=0, portfolio_id="pf-far")
    newest = decided(app, "b", Action.REJECT, minutes=20, hour=2, portfolio_id="pf-far")
    middle = decided(app, "c", Action.APPROVE, minutes=60, hour=1)
    same_portfolio = decided(app, "d", Action.OVERRIDE, minutes=1, hour=3, rules=["ANOTHER"])
    decided(app, "e", Action.APPROVE, minutes=1, hour=3, rules=["ANOTHER"], portfolio_id="pf-far")
    decided(app, "f", Action.APPROVE, minutes=1, hour=3, policy_id="another", portfolio_id="pf-far")
    open_item(app, "g", at=NOON)
    found = of(open_item(app, "mine", at=NOON + timedelta(hours=5)))
    assert [one.workflow_id for one in found.shown] == [newest, middle, oldest, same_portfolio]
    assert [one.same_rules for one in found.shown] == [True, True, True, False]
    assert found.outcomes == {"approved": 2, "rejected": 1}
    assert found.median_seconds == 20 * 60
    assert found.sentence == "2 of 3 like this were approved, median 20 min."
    assert found.divergent


def test_the_order_of_failing_rules_does_not_matter(app: Flask, session: Session) -> None:
    earlier = decided(app, "a", Action.APPROVE, minutes=5, rules=["X", "Y"], portfolio_id="pf-far")
    found = of(open_item(app, "mine", at=NOON + timedelta(hours=1), rules=["Y", "X", "X"]))
    assert [one.workflow_id for one in found.shown] == [earlier]


def test_a_closed_item_sees_only_what_was_decided_before_it(app: Flask, session: Session) -> None:
    mine = decided(app, "mine", Action.APPROVE, minutes=5)
    decided(app, "later", Action.REJECT, minutes=5, hour=1)
    found = of(mine)
    assert found.shown == ()
    assert found.sentence == "Nothing like this was decided before."


def test_another_tenants_decisions_are_no_precedents(app: Flask, session: Session) -> None:
    theirs = open_item(app, "t", tenant="other")
    with transaction() as opened:
        apply_action(
            opened,
            theirs,
            ReviewAction(Action.APPROVE, text="ok"),
            CommandContext(person("olga", Role.ADMIN, tenant="other"), Surface.FORM, "c", NOON, POLICY),
        )
    assert of(open_item(app, "mine", at=NOON + timedelta(hours=1))).shown == ()
