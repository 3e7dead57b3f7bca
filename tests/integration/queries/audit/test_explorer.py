"""The record of a tenant in one order: events, actions, and refusals beside them; nothing is lost between pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.errors import Forbidden, InvalidInput
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.queries.audit import explorer
from lotus_web.queries.audit.explorer import AuditFilter, all_audit_lines, audit_page
from lotus_web.queries.audit.lines import Source
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.store.session import db
from tests.support.events import NOON, POLICY, open_item, open_items, person

NORA = person("nora", Role.REVIEWER)


def act(workflow_id: str, action: Action, *, minute: int, text: str = "so be it") -> None:
    now = NOON + timedelta(minutes=minute)
    context = CommandContext(NORA, Surface.FORM, "req", now, POLICY)
    with audited_transaction(AuditedAction(context, action.value, workflow_id)) as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, text=text),
            context,
        )


@pytest.fixture
def story(app: Flask, session: Session) -> str:
    """One item: asked for, claimed, an override refused, approved."""
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.CLAIM, minute=1)
    with pytest.raises(Forbidden):
        act(workflow_id, Action.OVERRIDE, minute=2)
    act(workflow_id, Action.APPROVE, minute=3)
    return workflow_id


def kinds(**wanted: object) -> list[str]:
    return [line.kind for line in audit_page(db.session(), "default", AuditFilter(**wanted), limit=50).items]


def test_everything_stands_in_one_order_newest_first(story: str) -> None:
    assert kinds() == ["approve", "ApprovalRecorded", "refused", "claim", "ExceptionRequested", "TraceStarted"]


def test_filters_narrow_the_record(story: str) -> None:
    assert kinds(source=Source.RECORD) == ["refused"]
    assert kinds(kind="claim") == ["claim"]
    assert kinds(actor="credit-desk") == ["ExceptionRequested", "TraceStarted"]
    assert kinds(actor="nora") == ["approve", "ApprovalRecorded", "refused", "claim"]
    assert kinds(about=story) == ["approve", "refused", "claim"]
    assert kinds(about="t") == ["approve", "ApprovalRecorded", "claim", "ExceptionRequested", "TraceStarted"]
    assert kinds(since=NOON + timedelta(minutes=2)) == ["approve", "ApprovalRecorded", "refused"]
    assert kinds(until=NOON) == ["ExceptionRequested", "TraceStarted"]
    assert kinds(actor='"') == []


@pytest.mark.parametrize("reach", [2, 5_000])
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_hold_every_line_once(
    app: Flask, story: str, limit: int, reach: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_items(app, [f"u{number}" for number in range(5)])
    expected = {wanted: kinds(actor=wanted) for wanted in (None, "credit-desk")}
    monkeypatch.setattr(explorer, "REACH", reach)
    for wanted, lines in expected.items():
        seen: list[str] = []
        cursor = None
        while True:
            page = audit_page(db.session(), "default", AuditFilter(actor=wanted), limit=limit, cursor=cursor)
            seen += [line.kind for line in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == lines
    assert [len(lines) for lines in expected.values()] == [16, 12]


def test_a_rare_line_is_found_beyond_the_reach(app: Flask, story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "REACH", 2)
    found = list(all_audit_lines(db.session(), "default", AuditFilter(kind="TraceStarted")))
    assert [line.about for line in found] == ["t"]


@pytest.fixture
def sent(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        store = db.engine
    event.listen(store, "before_cursor_execute", note)
    yield statements
    event.remove(store, "before_cursor_execute", note)


def of_reach(statements: list[str]) -> list[str]:
    """Return the questions for a place alone: the instant and the number of one row."""
    return [one for one in statements if one.partition("FROM")[0].count(",") == 1]


@pytest.mark.parametrize(("reach", "asked"), [(5_000, 3), (4, 12)])
def test_an_export_asks_how_far_it_reaches_only_when_it_has_read_that_far(
    app: Flask, story: str, sent: list[str], reach: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_items(app, [f"u{number}" for number in range(5)])
    expected = list(all_audit_lines(db.session(), "default", AuditFilter(actor="credit-desk")))
    monkeypatch.setattr(explorer, "REACH", reach)
    monkeypatch.setattr(explorer, "EXPORT_BATCH", 1)
    sent.clear()
    assert list(all_audit_lines(db.session(), "default", AuditFilter(actor="credit-desk"))) == expected
    assert len(expected) == 12
    assert len(of_reach(sent)) == asked


def test_a_record_that_leaves_nothing_out_needs_no_reach(app: Flask, story: str, sent: list[str]) -> None:
    assert len(list(all_audit_lines(db.session(), "default", AuditFilter(since=NOON)))) == 6
    assert of_reach(sent) == []
    assert len([one for one in sent if one.startswith("SELECT")]) == 3


def test_no_transaction_waits_for_who_takes_the_lines(app: Flask, story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "EXPORT_BATCH", 2)
    session = db.session()
    open_meanwhile = [session.in_transaction() for _ in all_audit_lines(session, "default", AuditFilter())]
    assert open_meanwhile == [False] * 6


def test_another_tenant_has_a_record_of_its_own(story: str) -> None:
    assert audit_page(db.session(), "other", AuditFilter(), limit=50).items == ()


def test_a_made_up_cursor_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        audit_page(db.session(), "default", AuditFilter(), limit=5, cursor="e30")
