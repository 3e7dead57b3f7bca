"""When an action cannot be recorded: nothing of it is written, the holder is told once, and it is put on record."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.errors import Forbidden, NotFound
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.models import AuditRecord, Notification
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.command import CommandContext
from lotus_web.services.items import actions
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.store.session import db
from tests.support.events import NOON, POLICY, open_item, person
from tests.support.histories import EVENTS, count

NORA = person("nora", Role.REVIEWER)


def try_to(action: Action, workflow_id: str, *, by: object = NORA, request_id: str = "req-1", text: str = "ok") -> None:
    context = CommandContext(by, Surface.FORM, request_id, NOON, POLICY)
    with audited_transaction(AuditedAction(context, action.value, workflow_id)) as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, text=text),
            context,
        )


def counts() -> list[int]:
    """Return how many events, actions and items there are; what the log says of the record of a refusal does not count."""
    tables = ("dg_workflow_actions", "dg_workflow_items")
    return [count("dg_event_log", EVENTS), *map(count, tables)]


def records() -> list[tuple[str, str, str]]:
    return [
        (one.category, one.action, one.code) for one in db.session.query(AuditRecord).order_by(AuditRecord.audit_seq)
    ]


@pytest.fixture
def broken_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log takes no more events."""

    def fail(*_args: object, **_named: object) -> None:
        raise OperationalError("INSERT INTO dg_event_log", {}, Exception("disk full"))

    monkeypatch.setattr(actions, "append_event", fail)


def test_a_failed_append_leaves_nothing_but_the_notice(app: Flask, session: Session, broken_log: None) -> None:
    workflow_id = open_item(app, "t")
    before = counts()
    for _ in range(2):
        with pytest.raises(OperationalError):
            try_to(Action.APPROVE, workflow_id)
    assert counts() == before
    told = db.session.query(Notification).filter_by(category="failure").one()
    assert told.dedupe_key == f"failure:{workflow_id}:approve:req-1"
    assert told.recipient_role == "reviewer"
    assert "disk full" not in told.message
    assert records() == [("failed", "approve", "OperationalError")] * 2


def test_a_refusal_is_put_on_record_and_changes_nothing(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    before = counts()
    with pytest.raises(Forbidden):
        try_to(Action.OVERRIDE, workflow_id)
    assert counts() == before
    assert records() == [("refused", "override", "FORBIDDEN")]
    assert db.session.query(Notification).filter_by(category="failure").count() == 0


def test_an_unknown_item_leaves_no_record(session: Session) -> None:
    with pytest.raises(NotFound):
        try_to(Action.APPROVE, "made:exception:up")
    assert records() == []


def test_a_success_leaves_no_record(app: Flask, session: Session) -> None:
    try_to(Action.APPROVE, open_item(app, "t"))
    assert records() == []
