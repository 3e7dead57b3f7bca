"""The record of a tenant in one order: events, actions, and refusals beside them; nothing is lost between pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.db import db
from lotus_web.domain.access import Role
from lotus_web.domain.errors import Forbidden, InvalidInput
from lotus_web.domain.workflow import Action
from lotus_web.queries import audit_explorer
from lotus_web.queries.audit_explorer import AuditFilter, Source, all_audit_lines, audit_page
from lotus_web.services.failures import Attempt, attempt
from lotus_web.services.review import ReviewAction, apply_action
from tests.outside import NOON, POLICY, open_item, open_items, person

NORA = person("nora", Role.REVIEWER)


def act(workflow_id: str, action: Action, *, minute: int, text: str = "so be it") -> None:
    now = NOON + timedelta(minutes=minute)
    with attempt(Attempt(NORA, workflow_id, action.value, "form", "req", now)) as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, text=text),
            actor=NORA,
            surface="form",
            correlation_id="c",
            now=now,
            policy=POLICY,
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
    expected = kinds()
    monkeypatch.setattr(audit_explorer, "REACH", reach)
    seen: list[str] = []
    cursor = None
    while True:
        page = audit_page(db.session(), "default", AuditFilter(), limit=limit, cursor=cursor)
        seen += [line.kind for line in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == expected
    assert len(seen) == 16


def test_a_rare_line_is_found_beyond_the_reach(app: Flask, story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_explorer, "REACH", 2)
    found = list(all_audit_lines(db.session(), "default", AuditFilter(kind="TraceStarted")))
    assert [line.about for line in found] == ["t"]


def test_another_tenant_has_a_record_of_its_own(story: str) -> None:
    assert audit_page(db.session(), "other", AuditFilter(), limit=50).items == ()


def test_a_made_up_cursor_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        audit_page(db.session(), "default", AuditFilter(), limit=5, cursor="e30")
