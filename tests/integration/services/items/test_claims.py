"""A claim is a lease: its holder's actions renew it, silence ends it, and nobody takes what someone else holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import Action
from lotus_web.domain.surface import Surface
from lotus_web.models import WorkflowItem
from lotus_web.services.command import CommandContext
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import apply_action
from lotus_web.services.items.claims import RELEASER, end_claim, expired_claims
from lotus_web.store.session import db, transaction
from tests.support.events import NOON, POLICY, open_item, person

LEASE = timedelta(minutes=30)
NORA = person("nora", Role.REVIEWER)
TOMAS = person("tomas", Role.REVIEWER)


def act(workflow_id: str, action: Action, *, by: object, minute: int, **asked: str) -> None:
    with transaction() as session:
        apply_action(
            session,
            workflow_id,
            ReviewAction(action, **asked),
            CommandContext(by, Surface.FORM, "c", NOON + timedelta(minutes=minute), POLICY),
        )


def expired(minute: int) -> list[tuple[str, str]]:
    return expired_claims(db.session(), now=NOON + timedelta(minutes=minute), lease=LEASE, limit=10)


def end(workflow_id: str, minute: int) -> bool:
    now = NOON + timedelta(minutes=minute)
    with transaction() as session:
        return end_claim(session, ("default", workflow_id), now=now, lease=LEASE, policy=POLICY)


def row(workflow_id: str) -> WorkflowItem:
    found = db.session.get(WorkflowItem, ("default", workflow_id), populate_existing=True)
    assert found is not None
    return found


def test_a_silent_claim_is_given_back_to_its_role(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.CLAIM, by=NORA, minute=0)
    assert expired(30) == []
    assert end(workflow_id, 30) is False
    assert expired(31) == [("default", workflow_id)]
    assert end(workflow_id, 31) is True
    item = row(workflow_id)
    assert (item.status, item.assigned_account_id, item.assigned_role) == ("requested", None, "reviewer")
    assert (item.last_action_type, item.last_actor_id, item.claimed_at) == ("release", RELEASER, None)
    assert end(workflow_id, 32) is False


def test_what_the_holder_does_renews_the_claim(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.CLAIM, by=NORA, minute=0)
    act(workflow_id, Action.COMMENT, by=NORA, minute=20, text="still at it")
    act(workflow_id, Action.COMMENT, by=TOMAS, minute=40, text="how far are you?")
    assert expired(45) == []
    assert expired(51) == [("default", workflow_id)]


def test_an_escalated_item_stays_escalated_when_its_claim_ends(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.ESCALATE, by=NORA, minute=0, text="above me")
    act(workflow_id, Action.CLAIM, by=person("max", Role.MANAGER), minute=1)
    assert end(workflow_id, 40) is True
    item = row(workflow_id)
    assert (item.status, item.assigned_account_id, item.assigned_role) == ("escalated", None, "manager")


def test_nobody_claims_what_someone_else_holds(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.ESCALATE, by=NORA, minute=0, text="above me")
    act(workflow_id, Action.CLAIM, by=person("max", Role.MANAGER), minute=1)
    with pytest.raises(Conflict, match="held by max"):
        act(workflow_id, Action.CLAIM, by=TOMAS, minute=2)


def test_asking_for_changes_ends_the_lease_but_keeps_the_reviewer(app: Flask, session: Session) -> None:
    workflow_id = open_item(app, "t")
    act(workflow_id, Action.CLAIM, by=NORA, minute=0)
    act(workflow_id, Action.REQUEST_CHANGE, by=NORA, minute=5, text="the model is old")
    assert expired(500) == []
    assert row(workflow_id).assigned_account_id == "nora"
