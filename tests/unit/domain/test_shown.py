"""What a decider had in front of them: any movement of the item or its evidence makes another digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lotus_web.domain.errors import Conflict
from lotus_web.domain.shown import check_unmoved, shown_digest
from lotus_web.domain.workflow import ItemStatus
from tests.histories import ITEM, NOW, later


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"status": ItemStatus.ESCALATED}, {"sla_due_at": later(9)}, {"workflow_id": "other"}]
)
def test_a_change_of_the_item_changes_the_digest(change: dict[str, Any]) -> None:
    assert shown_digest(replace(ITEM, **change), "h") != shown_digest(ITEM, "h")


def test_a_change_of_the_evidence_changes_the_digest() -> None:
    assert len({shown_digest(ITEM, "h"), shown_digest(ITEM, "i"), shown_digest(ITEM, None)}) == 3


@pytest.mark.parametrize(("version", "digest"), [(None, None), (1, None), (None, "now"), (1, "now")])
def test_who_saw_the_present_or_says_nothing_may_go_on(version: int | None, digest: str | None) -> None:
    assert check_unmoved(ITEM, version=version, digest=digest, current_digest="now") is None


@pytest.mark.parametrize(("version", "digest"), [(2, None), (0, "now"), (1, "before"), (None, "before")])
def test_who_saw_something_else_is_told_who_did_what_and_when(version: int | None, digest: str | None) -> None:
    moved = replace(ITEM, last_action_type="request_change", last_actor_id="tomas.roth", last_action_at=NOW)
    with pytest.raises(Conflict) as refused:
        check_unmoved(moved, version=version, digest=digest, current_digest="now")
    assert refused.value.code == "version_conflict"
    assert "tomas.roth did request change" in refused.value.message
    assert refused.value.details["changed_at"] == "2026-03-02T09:00:00.000000+00:00"
    assert refused.value.details["current_version"] == 1
