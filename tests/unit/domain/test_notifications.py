"""Notices: who is told, and the keys that keep each from being told twice (workflow.md §4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotus_web.domain import notifications
from lotus_web.domain.items.values import ItemStatus
from lotus_web.domain.sentences import to_json
from tests.support.histories import ITEM, NOW, later

HELD = replace(ITEM, assigned_account_id="nora.lind")


def test_the_dedupe_keys_are_the_contracts() -> None:
    assert [notice.dedupe_key for notice in notifications.assignment(HELD, NOW)] == [
        "assignment:t:exception:x:nora.lind"
    ]
    assert [notice.dedupe_key for notice in notifications.assignment(ITEM, NOW)] == [
        "assignment:t:exception:x:reviewer"
    ]
    (told,) = notifications.approval(ITEM, event_id="evt-9", actor_id="nora.lind", now=NOW)
    assert told.dedupe_key == "approval:t:exception:x:evt-9"
    (told,) = notifications.deadline_risk(ITEM, NOW)
    assert told.dedupe_key == "deadline_risk:t:exception:x:2026-03-02T13:00:00.000000+00:00"
    (told,) = notifications.escalation(replace(ITEM, metadata={"escalation_count": 2}), NOW)
    assert told.dedupe_key == "escalation:t:exception:x:2"
    (told,) = notifications.failure(ITEM, action="approve", request_id="req-1", reason="down", now=NOW)
    assert told.dedupe_key == "failure:t:exception:x:approve:req-1"


def test_a_person_who_holds_an_item_is_told_and_else_its_role() -> None:
    (to_person,), (to_role,) = notifications.deadline_risk(HELD, NOW), notifications.deadline_risk(ITEM, NOW)
    assert (to_person.recipient_account_id, to_person.recipient_role) == ("nora.lind", None)
    assert (to_role.recipient_account_id, to_role.recipient_role) == (None, "reviewer")


def test_nobody_is_told_of_an_item_that_is_nobodys() -> None:
    assert notifications.assignment(replace(ITEM, assigned_role=None), NOW) == ()


def test_the_one_who_asked_is_told_how_it_ended() -> None:
    (told,) = notifications.approval(
        replace(ITEM, status=ItemStatus.REJECTED), event_id="e", actor_id="nora.lind", now=NOW
    )
    assert told.recipient_account_id == "drift-engine"
    assert told.message == "Rebalance PF-1 was rejected by nora.lind."


def test_an_id_follows_from_tenant_and_key_so_that_a_rebuild_names_the_same() -> None:
    (one,), (again,) = notifications.deadline_risk(ITEM, NOW), notifications.deadline_risk(ITEM, later(1))
    (elsewhere,) = notifications.deadline_risk(replace(ITEM, tenant_id="other"), NOW)
    assert one.notification_id == again.notification_id != elsewhere.notification_id


@pytest.mark.parametrize("code", notifications.NoticeCode)
def test_every_code_has_a_sentence(code: notifications.NoticeCode) -> None:
    assert "{title}" in notifications.TEMPLATES[code]


def test_a_stored_notice_says_the_same_again() -> None:
    told = [
        *notifications.assignment(HELD, NOW),
        *notifications.approval(ITEM, event_id="e", actor_id="max", now=NOW),
        *notifications.deadline_risk(ITEM, NOW),
        *notifications.escalation(ITEM, NOW, passed_over="max"),
        *notifications.escalation(ITEM, NOW),
        *notifications.failure(ITEM, action="approve", request_id="r", reason="down", now=NOW),
    ]
    assert {one.code for one in told} == set(notifications.NoticeCode)
    for one in told:
        again = notifications.stored_sentence(one.code.value, to_json(one.params), one.message)
        assert (str(again), again.values) == (one.message, one.params)


@pytest.mark.parametrize("code", [None, "of_a_later_version"])
def test_a_notice_without_a_known_code_is_told_as_it_was_stored(code: str | None) -> None:
    assert str(notifications.stored_sentence(code, {}, "{title} was moved.")) == "{title} was moved."
