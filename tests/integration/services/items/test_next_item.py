"""The next item: the most urgent free one that is theirs to do, and never the same for two people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, Role
from lotus_web.domain.errors import Forbidden
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import FourEyes
from lotus_web.domain.surface import Surface
from lotus_web.queries.inbox.counts import inbox_counts
from lotus_web.queries.inbox.filter import InboxFilter
from lotus_web.services.command import CommandContext
from lotus_web.services.events.log import append_event
from lotus_web.services.items.claims import end_claim, expired_claims
from lotus_web.services.items.next_item import claim_next_item
from lotus_web.store.session import db, transaction
from tests.support import runs
from tests.support.events import NOON, POLICY, draft, open_item, open_items, person, trace_started
from tests.support.histories import TOMAS, assert_provable, hire, review_requested

NORA = person("nora", Role.REVIEWER)
MAX = person("max", Role.MANAGER)


def next_for(app: Flask, actor: Actor, *, skip: str | None = None, policy: DeploymentPolicy = POLICY) -> str | None:
    with app.app_context(), transaction() as session:
        found = claim_next_item(
            session,
            CommandContext(actor, Surface.FORM, "c", NOON + timedelta(minutes=5), policy),
            skip=skip,
        )
        return None if found is None else found.item.trace_id


def test_items_are_handed_out_most_urgent_first(app: Flask) -> None:
    open_item(app, "normal", at=NOON)
    open_item(app, "high-later", at=NOON + timedelta(minutes=2), priority="high")
    open_item(app, "high", at=NOON + timedelta(minutes=1), priority="high")
    open_item(app, "late", at=NOON - timedelta(hours=5), priority="low")
    given = [next_for(app, NORA) for _ in range(5)]
    assert given == ["late", "high", "high-later", "normal", None]


def test_an_item_of_another_role_or_person_is_not_handed_out(app: Flask) -> None:
    workflow_id = open_item(app, "t")
    runs.act(app, workflow_id, Action.ESCALATE, by=NORA, text="above me")
    assert next_for(app, NORA) is None
    assert next_for(app, person("max", Role.MANAGER)) == "t"
    assert next_for(app, person("ines", Role.MANAGER)) is None


@pytest.mark.parametrize("role", ["ghost", "viewer"])
def test_what_waits_for_a_role_that_reviews_nothing_is_anyones(app: Flask, role: str) -> None:
    asked = review_requested(assignee={"role": role})
    with app.app_context(), transaction() as session:
        for event_type, payload in (
            (EventType.TRACE_STARTED, trace_started()),
            (EventType.WORKFLOW_REVIEW_REQUESTED, asked),
        ):
            append_event(session, draft("t", event_type, payload), defaults=POLICY.defaults, now=NOON)
        found = inbox_counts(session, InboxFilter(), actor=NORA, now=NOON, soon_minutes=30)
        assert (found.unassigned, found.roles) == (1, 0)
    assert next_for(app, NORA) == "t"
    assert next_for(app, person("tomas", Role.REVIEWER)) is None


def test_what_is_in_review_and_left_to_a_role_is_handed_out_and_lapses_like_any_claim(app: Flask) -> None:
    workflow_id = open_item(app, "t")
    runs.act(app, workflow_id, Action.CLAIM, by=NORA)
    assert next_for(app, person("tomas", Role.REVIEWER)) is None
    runs.act(app, workflow_id, Action.REASSIGN, by=MAX, assigned_role="reviewer")
    assert next_for(app, MAX) is None
    assert next_for(app, person("tomas", Role.REVIEWER)) == "t"
    assert next_for(app, NORA) is None
    with app.app_context():
        later = NOON + timedelta(hours=1)
        key = ("default", workflow_id)
        assert expired_claims(db.session(), now=later, lease=timedelta(minutes=30), limit=9) == [key]
        with transaction() as session:
            assert end_claim(session, key, now=later, lease=timedelta(minutes=30), policy=POLICY)
        assert_provable()
    assert next_for(app, NORA) == "t"


def test_what_is_in_review_and_given_to_a_person_waits_for_them(app: Flask) -> None:
    workflow_id = open_item(app, "t")
    with app.app_context(), transaction() as session:
        hire(session, TOMAS)
    runs.act(app, workflow_id, Action.CLAIM, by=NORA)
    runs.act(app, workflow_id, Action.REASSIGN, by=MAX, assigned_account_id=TOMAS.actor_id)
    assert next_for(app, NORA) is None
    assert next_for(app, TOMAS) == "t"


def test_what_waits_for_changes_or_was_skipped_is_not_handed_out(app: Flask) -> None:
    workflow_id, skipped = open_items(app, ["t", "u"])
    runs.act(app, workflow_id, Action.REQUEST_CHANGE, by=NORA, text="the model is old")
    assert next_for(app, NORA, skip=skipped) is None
    assert next_for(app, NORA) == "u"


def test_nobody_is_handed_what_they_asked_for_themselves(app: Flask) -> None:
    open_item(app, "t", actor={"actor_type": "person", "actor_id": "nora"})
    assert next_for(app, NORA) is None
    assert next_for(app, person("tomas", Role.REVIEWER)) == "t"


def test_where_one_person_reviews_alone_they_are_handed_what_they_asked_for(app: Flask) -> None:
    open_item(app, "t", actor={"actor_type": "person", "actor_id": "nora"})
    elsewhere = replace(POLICY, four_eyes=FourEyes(exempt_tenants=frozenset({"small"})))
    assert next_for(app, NORA, policy=elsewhere) is None
    alone = replace(POLICY, four_eyes=FourEyes(exempt_tenants=frozenset({"default"})))
    assert next_for(app, NORA, policy=alone) == "t"


def test_a_viewer_is_handed_nothing(app: Flask) -> None:
    with pytest.raises(Forbidden):
        next_for(app, person("vera", Role.VIEWER))


def test_twenty_people_at_once_get_twenty_items(app: Flask) -> None:
    traces = [f"t{number:02d}" for number in range(25)]
    open_items(app, traces)
    people = [person(f"reviewer-{number}", Role.REVIEWER) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(lambda one: next_for(app, one), people))
    assert sorted(given, key=str) == traces[:20]
