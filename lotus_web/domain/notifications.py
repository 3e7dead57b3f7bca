"""Notices: what someone is told about an item, with the key that prevents telling it twice (workflow.md §4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lotus_web.domain.access import Actor
from lotus_web.domain.items.actions import assignee
from lotus_web.domain.items.state import ESCALATIONS, REQUESTS, ItemState
from lotus_web.domain.sentences import Account, Plain, Sentence, from_json


class NoticeCategory(StrEnum):
    """Why someone gets a notice."""

    ASSIGNMENT = "assignment"
    APPROVAL = "approval"
    DEADLINE_RISK = "deadline_risk"
    ESCALATION = "escalation"
    FAILURE = "failure"


class NoticeCode(StrEnum):
    """What a notice says; its parameters are the values of the sentence in ``TEMPLATES``."""

    ASSIGNED = "assigned"
    DECIDED = "decided"
    DUE_SOON = "due_soon"
    ESCALATED = "escalated"
    ESCALATED_TO_ROLE = "escalated_to_role"
    NOT_RECORDED = "not_recorded"


TEMPLATES: Mapping[NoticeCode, str] = {
    NoticeCode.ASSIGNED: "{title} is assigned to {assignee}.",
    NoticeCode.DECIDED: "{title} was {status} by {decider}.",
    NoticeCode.DUE_SOON: "{title} is due at {due}.",
    NoticeCode.ESCALATED: "{title} was escalated.",
    NoticeCode.ESCALATED_TO_ROLE: (
        "{title} was escalated. {account}, named in the settings, cannot review items here."
    ),
    NoticeCode.NOT_RECORDED: "{title}: {action} could not be recorded ({reason}).",
}


class Channel(StrEnum):
    """How a notice reaches people. The console shows what is stored; any other channel has a sender (ADR 0014)."""

    CONSOLE = "operator_console"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one account or one role."""

    tenant_id: str
    workflow_id: str
    trace_id: str
    category: NoticeCategory
    code: NoticeCode
    params: Mapping[str, Plain]
    dedupe_key: str
    created_at: datetime
    recipient_account_id: str | None = None
    recipient_role: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence as JSON and files have it."""
        return str(Sentence(TEMPLATES[self.code], **self.params))

    @property
    def notification_id(self) -> str:
        """An id derived from the dedupe key, so that a rebuild gives the same notification."""
        return "ntf_" + hashlib.sha256(f"{self.tenant_id}\n{self.dedupe_key}".encode()).hexdigest()[:16]


def stored_sentence(code: str | None, params: Mapping[str, Any] | None, message: str) -> Sentence:
    """Return the sentence of a stored notice; the stored text for one without a code, or with a code of a later version."""
    if code not in set(NoticeCode):
        return Sentence.literal(message)
    return Sentence(TEMPLATES[NoticeCode(code)], **from_json(params or {}))


def _notice(
    item: ItemState,
    category: NoticeCategory,
    code: NoticeCode,
    *,
    key: str,
    now: datetime,
    params: Mapping[str, Plain],
    to_account: str | None = None,
) -> tuple[Notice]:
    """Return a notice to ``to_account``, or to the holder of the item: the account it is assigned to, or the role."""
    account = to_account or item.assigned_account_id
    notice = Notice(
        tenant_id=item.tenant_id,
        workflow_id=item.workflow_id,
        trace_id=item.trace_id,
        category=category,
        code=code,
        params={"title": item.title, **params},
        dedupe_key=f"{category.value}:{item.workflow_id}:{key}",
        created_at=now,
        recipient_account_id=account,
        recipient_role=None if account else item.assigned_role,
    )
    return (notice,)


def assignment(item: ItemState, now: datetime) -> tuple[Notice, ...]:
    """Tell the account or role that the item is assigned to now; nobody if it is unassigned."""
    target = item.assigned_account_id or item.assigned_role
    if target is None:
        return ()
    params = {"assignee": assignee(item.assigned_account_id, item.assigned_role)}
    # A review that was requested again is told again.
    requests = item.metadata.get(REQUESTS)
    key = f"{target}:{requests}" if requests else target
    return _notice(item, NoticeCategory.ASSIGNMENT, NoticeCode.ASSIGNED, key=key, now=now, params=params)


def approval(item: ItemState, *, event_id: str, actor_id: str, now: datetime) -> tuple[Notice, ...]:
    """Tell who asked for the review how it was decided."""
    params = {"status": item.status.value, "decider": Account(actor_id)}
    return _notice(
        item,
        NoticeCategory.APPROVAL,
        NoticeCode.DECIDED,
        key=event_id,
        now=now,
        params=params,
        to_account=item.requested_by_id,
    )


def deadline_risk(item: ItemState, now: datetime) -> tuple[Notice, ...]:
    """Warn the holder of the item that its due time is near; once for each due time."""
    key, params = item.sla_due_at.isoformat(timespec="microseconds"), {"due": item.sla_due_at}
    return _notice(item, NoticeCategory.DEADLINE_RISK, NoticeCode.DUE_SOON, key=key, now=now, params=params)


def escalation(item: ItemState, now: datetime, *, passed_over: str | None = None) -> tuple[Notice, ...]:
    """Tell the target of an escalation that the item is theirs now.

    ``passed_over`` is the account that the settings name, where it cannot review items in this tenant.
    """
    key = str(item.metadata.get(ESCALATIONS, 0))
    code = NoticeCode.ESCALATED_TO_ROLE if passed_over else NoticeCode.ESCALATED
    params = {"account": Account(passed_over)} if passed_over else {}
    return _notice(item, NoticeCategory.ESCALATION, code, key=key, now=now, params=params)


def failure(item: ItemState, *, action: str, request_id: str, reason: str, now: datetime) -> tuple[Notice, ...]:
    """Tell the holder of the item that an action on it could not be recorded; once for each request."""
    key, params = f"{action}:{request_id}", {"action": action, "reason": reason}
    return _notice(item, NoticeCategory.FAILURE, NoticeCode.NOT_RECORDED, key=key, now=now, params=params)


def is_recipient(actor: Actor, account_id: str | None, role: str | None) -> bool:
    """Return whether a notice to this account, or to this role where no account is named, is for the actor."""
    if account_id is not None:
        return account_id == actor.decider_id
    return role in {own.value for own in actor.roles}
