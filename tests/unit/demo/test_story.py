"""What people did is allowed by the rules, happened in the past, and leaves items in every status."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from lotus_web.demo.people import ENGINE_FEED, PEOPLE, PlannedAction, actions_on
from lotus_web.demo.portfolios import DemoRun, demo_runs
from lotus_web.demo.story import STORY
from lotus_web.domain.access import Permission, permissions_of
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.transitions import GATED_TRANSITIONS
from lotus_web.domain.items.values import OPEN, ItemStatus
from lotus_web.domain.sla.deadlines import WorkflowDefaults

DECIDING = {Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.ESCALATE, Action.OVERRIDE}
RUNS = list(demo_runs(seed=1, count=3_000))
DONE = [planned for run in RUNS for planned in actions_on(run)]
TO_REVIEW = [run for run in RUNS if run.expected_status == "PENDING_REVIEW"]
LATEST = [run for run in TO_REVIEW if run.index < 60]


def _walk(steps: tuple[PlannedAction, ...]) -> ItemStatus:
    """Return the status that the steps lead to; a step that the table refuses raises KeyError."""
    status = ItemStatus.REQUESTED
    for step in steps:
        status = GATED_TRANSITIONS[status, step.action]
    return status


def _due_in(run: DemoRun) -> int:
    return WorkflowDefaults().exception_review_sla_hours * 60 - run.offset_minutes


def test_every_step_is_allowed_by_the_table_of_transitions() -> None:
    for run in TO_REVIEW:
        _walk(actions_on(run))


def test_everyone_has_the_permission_for_what_they_did() -> None:
    permissions = {person.name: permissions_of([person.role]) for person in PEOPLE}
    for planned in DONE:
        assert ACTIONS[planned.action].permission in permissions[planned.actor]


def test_every_item_waits_for_its_latest_action_no_longer_than_since_its_run() -> None:
    for run in TO_REVIEW:
        minutes = [planned.minutes_after_run for planned in actions_on(run)]
        assert all(0 < earlier < later for earlier, later in pairwise(minutes))
        assert all(minute < run.offset_minutes for minute in minutes)


# The review of a run is never withdrawn; that of a proposal is.
OF_RUNS = set(ItemStatus) - {ItemStatus.WITHDRAWN}


def test_the_latest_items_stand_in_every_status() -> None:
    assert {_walk(actions_on(run)) for run in LATEST} == OF_RUNS


def test_two_open_items_fall_due_within_half_an_hour() -> None:
    open_items = [run for run in LATEST if _walk(actions_on(run)) in OPEN]
    assert sorted(_due_in(run) for run in open_items if 0 < _due_in(run) <= 30) == [9, 21]


def test_one_item_that_nobody_escalated_is_late_for_the_sweep_to_find() -> None:
    late = [run.index for run in LATEST if _walk(actions_on(run)) is ItemStatus.REQUESTED and _due_in(run) < 0]
    assert late == [20]


def test_every_older_item_is_closed() -> None:
    older = [run for run in TO_REVIEW if run.index >= 60]
    assert {_walk(actions_on(run)) for run in older} == OF_RUNS - OPEN


def test_older_items_are_mostly_approved() -> None:
    endings = Counter(_walk(actions_on(run)) for run in TO_REVIEW if run.index >= 60)
    assert 0.75 < endings[ItemStatus.APPROVED] / endings.total() < 0.95


def test_the_story_tells_only_of_runs_that_need_review() -> None:
    assert STORY.keys() <= {run.index for run in LATEST}
    assert all(actions_on(run) == () for run in RUNS if run.expected_status != "PENDING_REVIEW")


def test_decisions_have_a_code_and_a_reason_and_other_actions_have_no_code() -> None:
    for planned in DONE:
        assert (planned.reason_code is not None) == (planned.action in DECIDING)
        assert bool(planned.text) or not ACTIONS[planned.action].text
        assert planned.reason_code is None or re.fullmatch(r"[A-Z][A-Z0-9_]*", planned.reason_code)


def test_work_is_handed_to_someone_on_reassign_only() -> None:
    names = {person.name for person in PEOPLE}
    for planned in DONE:
        assert (planned.assigned_to in names) == (planned.action is Action.REASSIGN)


def test_the_engine_feed_can_record_and_cannot_decide() -> None:
    assert Permission.RUNS_WRITE in ENGINE_FEED.permissions
    assert not {Permission.WORKFLOW_REVIEW, Permission.WORKFLOW_OVERRIDE, Permission.ADMIN} & set(
        ENGINE_FEED.permissions
    )
