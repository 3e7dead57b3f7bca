"""Where notifications stand among what brought them about, and that finding their places takes one look for each."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.state import Origin
from lotus_web.domain.notifications import NoticeCategory
from lotus_web.models import Notification, WorkflowAction
from lotus_web.queries.traces.ordering import ActionEntry, NoticeEntry, in_order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DECIDES = {NoticeCategory.ESCALATION: Action.ESCALATE, NoticeCategory.APPROVAL: Action.APPROVE}


class Counted(datetime):
    """An instant that counts how often it is compared."""

    compared = 0

    def _count(self) -> None:
        type(self).compared += 1

    def __lt__(self, other: datetime) -> bool:
        self._count()
        return datetime.__lt__(self, other)

    def __le__(self, other: datetime) -> bool:
        self._count()
        return datetime.__le__(self, other)

    def __gt__(self, other: datetime) -> bool:
        self._count()
        return datetime.__gt__(self, other)

    def __ge__(self, other: datetime) -> bool:
        self._count()
        return datetime.__ge__(self, other)

    def __eq__(self, other: object) -> bool:
        self._count()
        return datetime.__eq__(self, other)

    __hash__ = datetime.__hash__


def at(minutes: int) -> Counted:
    moment = NOON + timedelta(minutes=minutes)
    return Counted(moment.year, moment.month, moment.day, moment.hour, moment.minute, tzinfo=UTC)


def action(seq: int, minutes: int, *, item: str = "i", kind: Action = Action.ESCALATE) -> WorkflowAction:
    return WorkflowAction(
        action_seq=seq,
        action_id=f"act-{seq}",
        workflow_id=item,
        action_type=kind.value,
        origin=Origin.MANUAL.value,
        after_log_seq=seq,
        occurred_at=at(minutes),
    )


def notice(
    seq: int, minutes: int, *, item: str = "i", category: NoticeCategory = NoticeCategory.ESCALATION
) -> Notification:
    return Notification(notification_seq=seq, workflow_id=item, category=category.value, created_at=at(minutes))


def words(actions: list[WorkflowAction], notices: list[Notification]) -> list[str]:
    names = {ActionEntry: lambda row: f"a{row.action_seq}", NoticeEntry: lambda row: f"n{row.notification_seq}"}
    return [names[type(one)](one.row) for one in in_order([], actions, notices)]


def by_looking_through_all(actions: list[WorkflowAction], notices: list[Notification]) -> list[str]:
    """Say the same, each notification compared with each action."""
    placed = [((one.after_log_seq, 1, one.action_seq, 0), f"a{one.action_seq}") for one in actions]
    for one in notices:
        kind = DECIDES.get(NoticeCategory(one.category))
        about = [
            act
            for act in actions
            if (act.workflow_id, act.action_type, act.occurred_at) == (one.workflow_id, kind, one.created_at)
        ]
        before = [act for act in actions if act.occurred_at <= one.created_at]
        cause = about[0] if about else max(before, key=lambda act: act.action_seq, default=None)
        place = (cause.after_log_seq, 1, cause.action_seq) if cause else (0, 0, 0)
        placed.append(((*place, one.notification_seq), f"n{one.notification_seq}"))
    return [word for _, word in sorted(placed)]


def test_a_notification_follows_what_it_tells_of_and_else_what_was_written_before_it() -> None:
    actions = [action(1, 0), action(2, 5, item="other"), action(3, 5), action(4, 5), action(5, 9)]
    risk = notice(2, 6, category=NoticeCategory.DEADLINE_RISK)
    early = notice(3, -1, category=NoticeCategory.DEADLINE_RISK)
    assert words(actions, [notice(1, 5), risk, early]) == ["n3", "a1", "a2", "a3", "n1", "a4", "n2", "a5"]


def test_places_are_those_of_a_look_through_everything() -> None:
    drawn = random.Random(7)
    for _ in range(60):
        kinds, items = [Action.ESCALATE, Action.APPROVE, Action.COMMENT], ["i", "j"]
        minutes = [drawn.randrange(12) for _ in range(12)]
        actions = [
            action(seq, minute, item=drawn.choice(items), kind=drawn.choice(kinds))
            for seq, minute in enumerate(minutes, start=1)
        ]
        notices = [
            notice(seq, drawn.randrange(-1, 13), item=drawn.choice(items), category=drawn.choice(list(NoticeCategory)))
            for seq in range(1, 9)
        ]
        notices = [one for one in notices if one.category != NoticeCategory.ASSIGNMENT]
        assert words(actions, notices) == by_looking_through_all(actions, notices)


def test_each_notification_is_placed_without_a_look_at_every_cause() -> None:
    causes, told = 1_000, 500
    actions = [action(seq, seq) for seq in range(1, causes + 1)]
    notices = [notice(seq, 2 * seq, category=NoticeCategory.DEADLINE_RISK) for seq in range(1, told + 1)]
    Counted.compared = 0
    assert len(in_order([], actions, notices)) == causes + told
    assert Counted.compared < 20 * (causes + told)
