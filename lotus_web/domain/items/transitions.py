"""The item's state machine as a table, and the rules for who may act when (workflow.md §2)."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput
from lotus_web.domain.free_text import clean_text
from lotus_web.domain.items.actions import ACTIONS, Action, Hold
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType
from lotus_web.domain.items.values import ItemStatus, WorkflowKind
from lotus_web.domain.sentences import Account, Sentence

TEXT_MAX = 4000
REASON_CODE_MAX = 128

TRANSITIONS = {(status, action): after for action, spec in ACTIONS.items() for status, after in spec.steps.items()}
# The gate of RFC-0020 reopens and reverses decided items of subjects that have one; nothing reopens an override.
GATED_TRANSITIONS = TRANSITIONS | {
    (status, action): after for action, spec in ACTIONS.items() for status, after in spec.reopens.items()
}


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the rules need to know of an item."""

    workflow_id: str
    status: ItemStatus
    workflow_kind: WorkflowKind
    subject: SubjectType
    assigned_account_id: str | None
    claimed: bool = False


_STATUS_WORDS = {
    ItemStatus.REQUESTED: "is waiting for a reviewer",
    ItemStatus.IN_REVIEW: "is in review",
    ItemStatus.CHANGES_REQUESTED: "is waiting for changes",
    ItemStatus.ESCALATED: "is escalated",
    ItemStatus.APPROVED: "is already approved",
    ItemStatus.REJECTED: "is already rejected",
    ItemStatus.OVERRIDDEN: "was overridden, which is final",
    ItemStatus.WITHDRAWN: "was withdrawn",
}


def status_sentence(status: ItemStatus) -> Sentence:
    """Return the status of an item as a sentence."""
    return Sentence("It {is_in_status}.", is_in_status=_STATUS_WORDS[status])


def status_after(item: ItemFacts, action: Action) -> ItemStatus | None:
    """Return the status after ``action``, None where it is not possible."""
    if _never(item, action) or _against_the_hold(item, action):
        return None
    return (GATED_TRANSITIONS if SUBJECTS[item.subject].has_gate else TRANSITIONS).get((item.status, action))


def _never(item: ItemFacts, action: Action) -> bool:
    return ACTIONS[action].only_for not in (None, item.workflow_kind)


def _against_the_hold(item: ItemFacts, action: Action) -> bool:
    """Return whether an item in review would be claimed a second time, or released while nobody holds it.

    A reassignment leaves the status and ends the claim, so an item in review may have nobody: it can be claimed again.
    """
    if item.status is not ItemStatus.IN_REVIEW:
        return False
    hold = ACTIONS[action].hold
    return item.claimed if hold is Hold.CLAIM else hold is Hold.RELEASE and item.assigned_account_id is None


def next_status(item: ItemFacts, action: Action) -> ItemStatus:
    """Return the status after ``action``; raises Conflict ``invalid_transition`` with the sentence that says why."""
    after = status_after(item, action)
    if after is None:
        raise Conflict("invalid_transition", refusal(item, action), details={"status": item.status.value})
    return after


def refusal(item: ItemFacts, action: Action) -> Sentence:
    """Return why ``action`` is not possible now; every surface shows this sentence."""
    spec = ACTIONS[action]
    if not spec.offered:
        return Sentence.literal("A review is withdrawn by what happens to its proposal, not by anyone here.")
    if spec.only_for is not None and _never(item, action):
        kind = spec.only_for.value.replace("_", " ")
        return Sentence("Only {kind}s can be {done}.", kind=kind, done=spec.past.lower())
    if _against_the_hold(item, action) and spec.hold is Hold.RELEASE:
        return Sentence("This item is unassigned: {action} is not possible now.", action=spec.verb)
    template = "This item {is_in_status}: {action} is not possible now."
    return Sentence(template, is_in_status=_STATUS_WORDS[item.status], action=spec.verb)


def check_holder(item: ItemFacts, actor: Actor, action: Action) -> None:
    """Raise Conflict where someone else holds the item: only the holder, or whoever may assign, releases it."""
    hold, held_by = ACTIONS[action].hold, item.assigned_account_id
    if held_by is None or held_by == actor.decider_id:
        return
    # Who was given an item in review is at work on it, claimed or not.
    if hold is Hold.CLAIM and (item.claimed or item.status is ItemStatus.IN_REVIEW):
        raise Conflict(
            "invalid_transition",
            Sentence("This item is held by {holder}.", holder=Account(held_by)),
            details={"assigned_account_id": held_by},
        )
    if hold is Hold.RELEASE and not actor.may(Permission.WORKFLOW_ASSIGN):
        raise Conflict(
            "invalid_transition",
            Sentence("This item is held by {holder}: only they or a manager can release it.", holder=Account(held_by)),
            details={"assigned_account_id": held_by},
        )


def check_ever_possible(item: ItemFacts, action: Action) -> None:
    """Raise Conflict for an action that nobody takes on this kind of item, before anything that it needs is asked for."""
    if _never(item, action) or not ACTIONS[action].offered:
        raise Conflict("invalid_transition", refusal(item, action), details={"status": item.status.value})


def check_action(item: ItemFacts, actor: Actor, action: Action) -> ItemStatus:
    """Return the status after ``action``; raises Forbidden (who may) or Conflict (whether it is possible now)."""
    check_permission(actor, ACTIONS[action].permission)
    after = next_status(item, action)
    check_holder(item, actor, action)
    return after


def why_not(item: ItemFacts, actor: Actor, action: Action) -> Sentence | None:
    """Return the sentence with which ``check_action`` would refuse, None where it would not."""
    try:
        check_action(item, actor, action)
    except (Forbidden, Conflict) as refused:
        return refused.sentence
    return None


def override_phrase(workflow_id: str) -> str:
    """Return what must be typed to override an item."""
    return f"OVERRIDE {workflow_id.upper()}"


def offered_phrase(item: ItemFacts) -> str | None:
    """Return the phrase for an item that can be overridden at all, None for any other."""
    return None if _never(item, Action.OVERRIDE) else override_phrase(item.workflow_id)


def check_free_text(text: str) -> str:
    """Return what someone wrote as it is stored (domain/free_text.py), at most ``TEXT_MAX`` characters; raises InvalidInput."""
    cleaned = clean_text(text, what="The text", loc=("body", "reason"))
    if len(cleaned) > TEXT_MAX:
        raise InvalidInput(
            "invalid_argument", Sentence("Use at most {most} characters.", most=TEXT_MAX), loc=("body", "reason")
        )
    return cleaned
