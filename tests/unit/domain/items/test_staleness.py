"""What a decider had in front of them: any movement of the item or its evidence makes another digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.staleness import check_not_stale, evidence_digest
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.items.values import ItemStatus
from tests.support.histories import ITEM, NOW, later


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"status": ItemStatus.ESCALATED}, {"sla_due_at": later(9)}, {"workflow_id": "other"}]
)
def test_a_change_of_the_item_changes_the_digest(change: dict[str, Any]) -> None:
    assert evidence_digest(replace(ITEM, **change), Evidence("h")) != evidence_digest(ITEM, Evidence("h"))


def test_a_change_of_the_evidence_changes_the_digest() -> None:
    assert (
        len(
            {
                evidence_digest(ITEM, Evidence("h")),
                evidence_digest(ITEM, Evidence("i")),
                evidence_digest(ITEM, Evidence()),
            }
        )
        == 3
    )


@pytest.mark.parametrize(("version", "digest"), [(None, None), (1, None), (None, "now"), (1, "now")])
def test_who_saw_the_present_or_says_nothing_may_go_on(version: int | None, digest: str | None) -> None:
    assert check_not_stale(ITEM, version=version, digest=digest, current_digest="now") is None


MOVED = replace(ITEM, version=3, last_action_type="request_change", last_actor_id="tomas.roth", last_action_at=NOW)


def refused(item: ItemState, version: int | None, digest: str | None) -> Conflict:
    with pytest.raises(Conflict) as found:
        check_not_stale(item, version=version, digest=digest, current_digest="now")
    assert found.value.code == "version_conflict"
    return found.value


@pytest.mark.parametrize(("version", "digest"), [(2, None), (1, "now"), (1, "before"), (None, "before")])
def test_who_saw_something_else_is_told_who_did_what_and_when(version: int | None, digest: str | None) -> None:
    refusal = refused(replace(MOVED, status=ItemStatus.CHANGES_REQUESTED), version, digest)
    assert refusal.message == (
        "This item changed while you were looking: tomas.roth requested changes. It is waiting for changes."
    )
    assert refusal.details["changed_at"] == "2026-03-02T09:00:00.000000+00:00"
    assert refusal.details["current_version"] == 3


def test_what_changes_no_status_is_not_said_to_have_changed_it() -> None:
    item = replace(MOVED, status=ItemStatus.ESCALATED, last_action_type="comment")
    assert "tomas.roth commented. It is escalated." in refused(item, 1, None).message


def test_whoever_it_went_to_is_named() -> None:
    item = replace(MOVED, status=ItemStatus.IN_REVIEW, last_action_type="reassign", assigned_role="manager")
    assert "tomas.roth assigned it to manager. It is in review." in refused(item, 1, None).message


@pytest.mark.parametrize(("item", "version"), [(ITEM, 7), (ITEM, 0), (MOVED, 0), (MOVED, 7)])
def test_a_version_that_never_was_says_nothing_of_the_evidence(item: ItemState, version: int) -> None:
    said = f"This item is at version {item.version}; there never was a version {version}."
    assert refused(item, version, None).message == said


@pytest.mark.parametrize("item", [ITEM, MOVED])
def test_other_evidence_under_the_same_version_is_called_that(item: ItemState) -> None:
    assert refused(item, item.version, "before").message == "The evidence of this item is not what you saw."
