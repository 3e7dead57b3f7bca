"""The item's state machine as a table, and the rules for who may act when (workflow.md §2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput
from lotus_web.domain.free_text import clean_text

TEXT_MAX = 4000
REASON_CODE_MAX = 128


class ItemStatus(StrEnum):
    """Where an item stands."""

    REQUESTED = "requested"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"


OPEN = frozenset({ItemStatus.REQUESTED, ItemStatus.IN_REVIEW, ItemStatus.CHANGES_REQUESTED, ItemStatus.ESCALATED})
TERMINAL = frozenset(ItemStatus) - OPEN


class Action(StrEnum):
    """What someone can do to an item."""

    CLAIM = "claim"
    RELEASE = "release"
    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGE = "request_change"
    COMMENT = "comment"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    OVERRIDE = "override"


class WorkflowKind(StrEnum):
    """What kind of review an item asks for."""

    EXCEPTION_REVIEW = "exception_review"
    INCIDENT_REVIEW = "incident_review"


class Priority(IntEnum):
    """How urgent an item is; the lower rank is worked first."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def word(self) -> str:
        """The wire name."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Priority:
        """Return the priority of a wire name; raises KeyError."""
        return cls[word.upper()]


PERMISSION: dict[Action, Permission] = {
    Action.CLAIM: Permission.WORKFLOW_REVIEW,
    Action.RELEASE: Permission.WORKFLOW_REVIEW,
    Action.APPROVE: Permission.WORKFLOW_REVIEW,
    Action.REJECT: Permission.WORKFLOW_REVIEW,
    Action.REQUEST_CHANGE: Permission.WORKFLOW_REVIEW,
    Action.COMMENT: Permission.WORKFLOW_REVIEW,
    Action.REASSIGN: Permission.WORKFLOW_ASSIGN,
    Action.ESCALATE: Permission.WORKFLOW_ESCALATE,
    Action.OVERRIDE: Permission.WORKFLOW_OVERRIDE,
}

NEEDS_TEXT = frozenset(
    {Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.COMMENT, Action.ESCALATE, Action.OVERRIDE}
)

# What an item was last decided by: what says why it stands as it does.
DECIDING = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.OVERRIDE})

# What someone did, after their name.
DID: dict[Action, str] = {
    Action.CLAIM: "claimed it",
    Action.RELEASE: "released it",
    Action.APPROVE: "approved",
    Action.REJECT: "rejected",
    Action.REQUEST_CHANGE: "requested changes",
    Action.COMMENT: "commented",
    Action.REASSIGN: "gave it",
    Action.ESCALATE: "escalated it",
    Action.OVERRIDE: "overrode the gate",
}


def did(action: Action, *, account: str | None, role: str | None) -> str:
    """Return what someone did, after their name; what moves an item says to whom."""
    moved = action in (Action.REASSIGN, Action.ESCALATE)
    return f"{DID[action]} to {account or role or 'nobody'}" if moved else DID[action]


def _table() -> dict[tuple[ItemStatus, Action], ItemStatus]:
    table: dict[tuple[ItemStatus, Action], ItemStatus] = {}
    for status in OPEN:
        table[status, Action.APPROVE] = ItemStatus.APPROVED
        table[status, Action.REJECT] = ItemStatus.REJECTED
        table[status, Action.REQUEST_CHANGE] = ItemStatus.CHANGES_REQUESTED
        table[status, Action.REASSIGN] = status
        table[status, Action.OVERRIDE] = ItemStatus.OVERRIDDEN
        if status is not ItemStatus.ESCALATED:
            table[status, Action.ESCALATE] = ItemStatus.ESCALATED
    for status in ItemStatus:
        table[status, Action.COMMENT] = status
    table[ItemStatus.REQUESTED, Action.CLAIM] = ItemStatus.IN_REVIEW
    table[ItemStatus.CHANGES_REQUESTED, Action.CLAIM] = ItemStatus.IN_REVIEW
    table[ItemStatus.ESCALATED, Action.CLAIM] = ItemStatus.ESCALATED
    table[ItemStatus.IN_REVIEW, Action.CLAIM] = ItemStatus.IN_REVIEW
    table[ItemStatus.IN_REVIEW, Action.RELEASE] = ItemStatus.REQUESTED
    return table


TRANSITIONS = _table()
# The gate of RFC-0020 reopens and reverses decided items of runs; nothing reopens an override.
RUN_TRANSITIONS = TRANSITIONS | {
    (ItemStatus.APPROVED, Action.REJECT): ItemStatus.REJECTED,
    (ItemStatus.APPROVED, Action.REQUEST_CHANGE): ItemStatus.CHANGES_REQUESTED,
    (ItemStatus.REJECTED, Action.REQUEST_CHANGE): ItemStatus.CHANGES_REQUESTED,
}


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the rules need to know of an item."""

    workflow_id: str
    status: ItemStatus
    workflow_kind: WorkflowKind
    is_run: bool
    assigned_account_id: str | None
    claimed: bool = False


_STATUS_WORDS = {
    ItemStatus.REQUESTED: "is waiting for a reviewer",
    ItemStatus.IN_REVIEW: "is in review",
    ItemStatus.CHANGES_REQUESTED: "waits for changes",
    ItemStatus.ESCALATED: "is escalated",
    ItemStatus.APPROVED: "is approved already",
    ItemStatus.REJECTED: "is rejected already",
    ItemStatus.OVERRIDDEN: "was overridden, which is final",
}


def status_sentence(status: ItemStatus) -> str:
    """Return where an item stands, as a sentence."""
    return f"It {_STATUS_WORDS[status]}."


def status_after(item: ItemFacts, action: Action) -> ItemStatus | None:
    """Return the status after ``action``, or None where the tables know no such step."""
    if _never(item, action) or _against_the_hold(item, action):
        return None
    return (RUN_TRANSITIONS if item.is_run else TRANSITIONS).get((item.status, action))


def _never(item: ItemFacts, action: Action) -> bool:
    return action is Action.OVERRIDE and item.workflow_kind is not WorkflowKind.EXCEPTION_REVIEW


def _against_the_hold(item: ItemFacts, action: Action) -> bool:
    """Return whether an item in review is to be taken from who claimed it, or given back by nobody.

    A reassignment leaves the status and ends the claim, so an item in review may have nobody: it can be claimed again.
    """
    if item.status is not ItemStatus.IN_REVIEW:
        return False
    return item.claimed if action is Action.CLAIM else action is Action.RELEASE and item.assigned_account_id is None


def next_status(item: ItemFacts, action: Action) -> ItemStatus:
    """Return the status after ``action``; raises Conflict ``invalid_transition`` with the sentence that says why."""
    after = status_after(item, action)
    if after is None:
        raise Conflict("invalid_transition", refusal(item, action), details={"status": item.status.value})
    return after


def refusal(item: ItemFacts, action: Action) -> str:
    """Return the one sentence, the same everywhere, that says why ``action`` is not possible now."""
    if _never(item, action):
        return "Only exception reviews can be overridden."
    word = action.value.replace("_", " ")
    if _against_the_hold(item, action) and action is Action.RELEASE:
        return f"Nobody holds this item: {word} is not possible now."
    return f"This item {_STATUS_WORDS[item.status]}: {word} is not possible now."


def check_holder(item: ItemFacts, actor: Actor, action: Action) -> None:
    """Raise Conflict when someone else's hold stands in the way: only the holder, or who may assign, lets go."""
    held_by_other = item.assigned_account_id not in (None, actor.decider_id)
    # Who was given an item in review is at work on it, claimed or not.
    if action is Action.CLAIM and held_by_other and (item.claimed or item.status is ItemStatus.IN_REVIEW):
        raise Conflict(
            "invalid_transition",
            f"This item is held by {item.assigned_account_id}.",
            details={"assigned_account_id": item.assigned_account_id},
        )
    if action is Action.RELEASE and held_by_other and not actor.may(Permission.WORKFLOW_ASSIGN):
        raise Conflict(
            "invalid_transition",
            f"This item is held by {item.assigned_account_id}: only they or a manager can release it.",
            details={"assigned_account_id": item.assigned_account_id},
        )


def check_ever_possible(item: ItemFacts, action: Action) -> None:
    """Raise Conflict for what this kind of item never takes, so that nobody is first asked to complete it."""
    if _never(item, action):
        raise Conflict("invalid_transition", refusal(item, action), details={"status": item.status.value})


def check_action(item: ItemFacts, actor: Actor, action: Action) -> ItemStatus:
    """Return the status after ``action``; raises Forbidden (who may) or Conflict (whether it is possible now)."""
    check_permission(actor, PERMISSION[action])
    after = next_status(item, action)
    check_holder(item, actor, action)
    return after


def why_not(item: ItemFacts, actor: Actor, action: Action) -> str | None:
    """Return the sentence with which ``check_action`` would refuse, None where it would not."""
    try:
        check_action(item, actor, action)
    except (Forbidden, Conflict) as refused:
        return refused.message
    return None


def override_phrase(workflow_id: str) -> str:
    """Return what must be typed to override an item."""
    return f"OVERRIDE {workflow_id.upper()}"


def offered_phrase(item: ItemFacts) -> str | None:
    """Return the phrase for an item that can be overridden at all, None for any other."""
    return None if _never(item, Action.OVERRIDE) else override_phrase(item.workflow_id)


def check_free_text(text: str) -> str:
    """Return what someone wrote as it is kept (domain/free_text.py), at most ``TEXT_MAX`` characters; raises InvalidInput."""
    cleaned = clean_text(text, what="The text", loc=("body", "reason"))
    if len(cleaned) > TEXT_MAX:
        raise InvalidInput("invalid_argument", f"Use at most {TEXT_MAX} characters.", loc=("body", "reason"))
    return cleaned
