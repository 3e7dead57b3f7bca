"""Every status × every action × with and without the permission × every door: what happens is this table, through each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web import create_app
from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission
from lotus_web.domain.items.actions import ACTIONS, OFFERED, Action
from lotus_web.domain.items.values import ItemStatus
from lotus_web.models import AuditRecord, Decision, EventLogEntry, Notification, WorkflowAction, WorkflowItem
from lotus_web.store.session import db
from lotus_web.web.format.permissions import MAY
from tests.stores.makers import environment
from tests.support import runs
from tests.support.events import account, open_items
from tests.support.histories import assert_provable
from tests.support.surfaces import CODED, Answer, ApiDoor, FormDoor, RfcDoor, Tried

NO = "-"
# Item of another system: from (rows) by action (columns) to. Contract: workflow.md §2.
TABLE = """
                  claim     release   approve  reject   request_change    comment           reassign          escalate  override
requested         in_review -         approved rejected changes_requested requested         requested         escalated overridden
in_review         -         requested approved rejected changes_requested in_review         in_review         escalated overridden
changes_requested in_review -         approved rejected changes_requested changes_requested changes_requested escalated overridden
escalated         escalated -         approved rejected changes_requested escalated         escalated         -         overridden
approved          -         -         -        -        -                 approved          -                 -         -
rejected          -         -         -        -        -                 rejected          -                 -         -
overridden        -         -         -        -        -                 overridden        -                 -         -
"""
# What the gate of RFC-0020 adds for runs: (status, action) to status.
RUN_EXTRA = {
    ("approved", "reject"): "rejected",
    ("approved", "request_change"): "changes_requested",
    ("rejected", "request_change"): "changes_requested",
}
WAY_TO = {
    "requested": (),
    "in_review": (Action.CLAIM,),
    "changes_requested": (Action.REQUEST_CHANGE,),
    "escalated": (Action.ESCALATE,),
    "approved": (Action.APPROVE,),
    "rejected": (Action.REJECT,),
    "overridden": (Action.OVERRIDE,),
}
SETTER = account("sam", *Permission)
APPROVALS = (Action.APPROVE, Action.REJECT, Action.OVERRIDE)
GATE = (Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE)


def read_table(text: str) -> dict[tuple[str, str], str]:
    head, *rows = (line.split() for line in text.strip().splitlines())
    return {(row[0], action): after for row in rows for action, after in zip(head, row[1:], strict=True)}


@dataclass(frozen=True)
class Stored:
    """An item and how many rows stand behind it."""

    status: str
    version: int
    actions: int
    decisions: int
    events: int
    notices: int
    refusals: int


@dataclass
class World:
    """One app on one store for the whole module, with the doors to it, whose people stay signed in."""

    app: Flask
    numbers: Counter[str]

    def __post_init__(self) -> None:
        self.doors = (ApiDoor(self.app), FormDoor(self.app), RfcDoor(self.app))

    def item(self, status: str, *, of_run: bool) -> str:
        """Make an item that someone else brought to a status."""
        self.numbers["item"] += 1
        name = f"{'run' if of_run else 'credit'}-{self.numbers['item']}"
        found = runs.item(self.app, key=name) if of_run else open_items(self.app, [name], at=utcnow())[0]
        for action in WAY_TO[status]:
            phrase = f"OVERRIDE {found.upper()}"
            runs.act(self.app, found, action, by=SETTER, text="on the way", confirm_text=phrase)
        return found

    def stored(self, workflow_id: str) -> Stored:
        def rows(model: type, *which: object) -> object:
            return select(func.count()).select_from(model).where(*which).scalar_subquery()

        of_item, named = WorkflowItem.workflow_id == workflow_id, (workflow_id, workflow_id.rpartition(":")[2])
        with self.app.app_context():
            query = select(
                WorkflowItem.status,
                WorkflowItem.version,
                rows(WorkflowAction, WorkflowAction.workflow_id == workflow_id),
                rows(Decision, Decision.workflow_id == workflow_id),
                rows(EventLogEntry, EventLogEntry.trace_id == WorkflowItem.trace_id),
                rows(Notification, Notification.workflow_id == workflow_id),
                # The RFC's routes turn some away before they look for the item of the run that was named.
                rows(AuditRecord, AuditRecord.subject.in_(named), AuditRecord.category == "refused"),
            ).where(of_item)
            return Stored(*db.session.execute(query).one())

    def last(self, workflow_id: str) -> list[tuple[object, ...]]:
        """Return what the newest action and the newest decision say beside who and when."""
        with self.app.app_context():
            said = (WorkflowAction.action_type, WorkflowAction.from_status, WorkflowAction.to_status)
            also = (WorkflowAction.reason_code, WorkflowAction.text, WorkflowAction.assigned_role)
            newest = select(*said, *also).where(WorkflowAction.workflow_id == workflow_id)
            actions = db.session.execute(newest.order_by(WorkflowAction.action_seq.desc()).limit(1))
            decided = select(Decision.action, Decision.reason_code, Decision.comment)
            newest = decided.where(Decision.workflow_id == workflow_id).order_by(Decision.decided_at.desc()).limit(1)
            return [tuple(row) for row in (*actions, *db.session.execute(newest))]


@pytest.fixture(scope="module")
def world_on(request: pytest.FixtureRequest) -> Iterator[Callable[[str], World]]:
    """``world_on("sqlite")``: the world on a store of that kind, made on first use."""
    made: dict[str, World] = {}
    used = []

    def world(kind: str) -> World:
        if kind not in made:
            stores = request.getfixturevalue("sqlite_stores" if kind == "sqlite" else "postgres_stores")
            url = stores.create()
            used.append((stores, url))
            settings = {**environment(url), "DPM_WORKFLOW_ENABLED": "true"}
            made[kind] = World(create_app(Settings.from_environ(settings)), Counter())
            made[kind].app.testing = True
        return made[kind]

    yield world
    for one in made.values():
        with one.app.app_context():
            db.engine.dispose()
    for stores, url in used:
        stores.drop(url)


@pytest.fixture
def world(store_kind: str, world_on: Callable[[str], World]) -> World:
    """The world on the store under test."""
    return world_on(store_kind)


def test_the_table_knows_every_status_and_every_action() -> None:
    assert {action for _, action in read_table(TABLE)} == {action.value for action in OFFERED}
    # Nothing that is not about a proposal is ever withdrawn.
    statuses = {status.value for status in ItemStatus if status is not ItemStatus.WITHDRAWN}
    assert {status for status, _ in read_table(TABLE)} == set(WAY_TO) == statuses


@pytest.mark.parametrize("of_run", [False, True], ids=["of another system", "of a run"])
@pytest.mark.parametrize("action", OFFERED)
def test_an_action_does_the_same_through_every_door(world: World, action: Action, of_run: bool) -> None:
    table = read_table(TABLE) | (RUN_EXTRA if of_run else {})
    doors = [door for door in world.doors if door.takes(action, of_run=of_run)]
    for status in WAY_TO:
        after = table[status, action.value]
        shared = world.item(status, of_run=of_run)
        told: dict[str, list[Answer]] = {}
        left = []
        for number, door in enumerate(doors):
            # What is refused leaves the item as it was, for the next door.
            logging_refusals = shared if after == NO or number == 0 else world.item(status, of_run=of_run)
            told[door.name] = [
                refused(world, door, logging_refusals, action, permitted=False),
                refused(world, door, logging_refusals, action, complete=False)
                if needs_more(action)
                else Answer("complete"),
            ]
            if after == NO:
                told[door.name].append(refused(world, door, logging_refusals, action))
            else:
                told[door.name].append(done(world, door, logging_refusals, action, after, of_run=of_run))
                left.append((world.stored(logging_refusals).notices, world.last(logging_refusals)))
        assert [one == left[0] for one in left] == [True] * len(left), (status, left)
        kinds = {name: [answer.kind for answer in answers] for name, answers in told.items()}
        sort = ["forbidden", "invalid" if needs_more(action) else "complete", "conflict" if after == NO else "done"]
        assert kinds == dict.fromkeys(kinds, sort), status
        # The RFC's routes tell by stable codes alone.
        assert told["form"][1:] == told["api"][1:], status
        # A page says in words what JSON names.
        assert told["api"][0].sentence == f"This needs the permission {ACTIONS[action].permission.value}."
        assert told["form"][0].sentence == f"This needs the permission “{MAY[ACTIONS[action].permission]}”."


def test_what_is_in_review_and_nobodys_is_claimed_and_not_released_through_every_door(world: World) -> None:
    for of_run in (False, True):
        for door in world.doors[:2]:
            left = world.item("in_review", of_run=of_run)
            runs.act(world.app, left, Action.REASSIGN, by=SETTER, assigned_role="reviewer")
            answer = refused(world, door, left, Action.RELEASE)
            assert answer == Answer("conflict", "This item is unassigned: release is not possible now.")
            done(world, door, left, Action.CLAIM, "in_review", of_run=of_run)
            assert refused(world, door, left, Action.CLAIM).kind == "conflict"


def needs_more(action: Action) -> bool:
    return action in (*CODED, Action.COMMENT, Action.REASSIGN)


def refused(
    world: World,
    door: ApiDoor | FormDoor,
    workflow_id: str,
    action: Action,
    *,
    permitted: bool = True,
    complete: bool = True,
) -> Answer:
    """Try what is refused: nothing changes but the record, which holds one line more."""
    before = world.stored(workflow_id)
    answer = door.send(Tried(workflow_id, before.version, action, complete), permitted=permitted)
    after = world.stored(workflow_id)
    assert after == Stored(*(getattr(before, name) for name in NAMES[:-1]), refusals=before.refusals + 1)
    return answer


def done(
    world: World, door: ApiDoor | FormDoor, workflow_id: str, action: Action, status: str, *, of_run: bool
) -> Answer:
    """Do what is possible: one action, with its event and its decision where it has them, and no refusal."""
    before = world.stored(workflow_id)
    answer = door.send(Tried(workflow_id, before.version, action), permitted=True)
    after = world.stored(workflow_id)
    assert after == Stored(
        status,
        before.version + 1,
        before.actions + 1,
        before.decisions + (of_run and action in GATE),
        before.events + (action in APPROVALS),
        after.notices,
        before.refusals,
    ), (door.name, answer)
    return answer


NAMES = tuple(Stored.__dataclass_fields__)


def test_what_all_of_them_did_is_proven_by_the_log(world: World) -> None:
    with world.app.app_context():
        assert_provable()
