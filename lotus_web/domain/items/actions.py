"""The actions on an item: the one table that says all there is to say of each (workflow.md §2).

Rules, services, the log's projection, pages, keys, JSON and reports read it. A new action is one member of ``Action`` and one
entry of ``ACTIONS``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lotus_web.domain.access import Permission
from lotus_web.domain.items import reasons
from lotus_web.domain.items.forms import Form, Group
from lotus_web.domain.items.reasons import ReasonCode
from lotus_web.domain.items.values import OPEN, ItemStatus, WorkflowKind
from lotus_web.domain.sentences import Account, Plain, Sentence


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
    WITHDRAW = "withdraw"


class GateAction(StrEnum):
    """The three decisions of RFC-0020."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    REQUEST_CHANGES = "REQUEST_CHANGES"


class Verdict(StrEnum):
    """What an ApprovalRecorded says."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Approval:
    """An action that is an ApprovalRecorded of the log; ``override`` where that is about the item and not its subject."""

    verdict: Verdict
    override: bool = False


class Hold(StrEnum):
    """What an action does to who holds the item."""

    KEEP = "keep"
    CLAIM = "claim"  # whoever acts holds it, until their claim expires
    RELEASE = "release"  # nobody holds it
    PAUSE = "pause"  # it stays with its holder, but the claim does not run while others change what it is about
    REASSIGN = "reassign"  # it goes to the person or role that the action names
    ESCALATE = "escalate"  # it goes to the escalation target of the settings


class Text(StrEnum):
    """What must be written; a reason code can replace a reason, not for a note."""

    REASON = "reason"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action: its words (``did`` follows the name of who acted), who may, which steps it makes, what it needs and does.

    ``reopens`` are further steps on items whose subject has a gate (RFC-0020). ``only_for`` is the one kind of review that
    takes it, None for every kind. ``decides`` says that the status follows from it, ``settles`` that the item no longer needs
    its reviewer, ``four_eyes`` that whoever submitted or asked must leave it to someone else. What is not ``offered`` follows from
    what happens to the subject: no form, button or client asks for it.
    """

    label: str
    past: str
    did: str
    done: str
    permission: Permission
    form: Form
    steps: Mapping[ItemStatus, ItemStatus]
    reopens: Mapping[ItemStatus, ItemStatus] = field(default_factory=dict)
    text: Text | None = None
    reasons: tuple[ReasonCode, ...] = ()
    phrase: bool = False
    only_for: WorkflowKind | None = None
    hold: Hold = Hold.KEEP
    approval: Approval | None = None
    gate: GateAction | None = None
    decides: bool = False
    settles: bool = False
    four_eyes: bool = False
    offered: bool = True

    def describe(self, *, account: str | None, role: str | None) -> Sentence:
        """Return what someone did, to follow their name; an action that moves the item says to whom."""
        if self.hold not in (Hold.REASSIGN, Hold.ESCALATE):
            return Sentence.literal(self.did)
        return Sentence("{did} to {assignee}", did=self.did, assignee=assignee(account, role))

    @property
    def verb(self) -> str:
        """The label within a sentence."""
        return self.label.lower()


def assignee(account: str | None, role: str | None) -> Plain:
    """Return whom an item is assigned to, as a value of a sentence."""
    return Account(account) if account else role or "nobody"


def _to(after: ItemStatus, *, since: Iterable[ItemStatus] = OPEN) -> dict[ItemStatus, ItemStatus]:
    return dict.fromkeys(since, after)


def _staying(statuses: Iterable[ItemStatus]) -> dict[ItemStatus, ItemStatus]:
    return {status: status for status in statuses}


ACTIONS: Mapping[Action, ActionSpec] = {
    Action.CLAIM: ActionSpec(
        label="Claim",
        past="Claimed",
        did="claimed it",
        done="You hold this item now.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.HOLDER, "person", "active", "secondary"),
        steps=_staying({ItemStatus.IN_REVIEW, ItemStatus.ESCALATED})
        | _to(ItemStatus.IN_REVIEW, since={ItemStatus.REQUESTED, ItemStatus.CHANGES_REQUESTED}),
        hold=Hold.CLAIM,
    ),
    Action.RELEASE: ActionSpec(
        label="Release",
        past="Released",
        did="released it",
        done="Released. Someone else can claim it.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.HOLDER, "person", "neutral", "quiet"),
        steps={ItemStatus.IN_REVIEW: ItemStatus.REQUESTED},
        hold=Hold.RELEASE,
    ),
    Action.APPROVE: ActionSpec(
        label="Approve",
        past="Approved",
        did="approved",
        done="Approved.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.DECIDE, "check", "good", "primary", key="a", names_subject=True),
        steps=_to(ItemStatus.APPROVED),
        text=Text.REASON,
        reasons=reasons.APPROVAL,
        approval=Approval(Verdict.APPROVED),
        gate=GateAction.APPROVE,
        decides=True,
        settles=True,
        four_eyes=True,
    ),
    Action.REJECT: ActionSpec(
        label="Reject",
        past="Rejected",
        did="rejected",
        done="Rejected.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.DECIDE, "cross", "alert", "danger", key="r", names_subject=True),
        steps=_to(ItemStatus.REJECTED),
        reopens={ItemStatus.APPROVED: ItemStatus.REJECTED},
        text=Text.REASON,
        reasons=reasons.REJECTION,
        approval=Approval(Verdict.REJECTED),
        gate=GateAction.REJECT,
        decides=True,
        settles=True,
    ),
    Action.REQUEST_CHANGE: ActionSpec(
        label="Request changes",
        past="Changes requested",
        did="requested changes",
        done="Changes requested.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.DECIDE, "pencil", "warn", "primary", key="c"),
        steps=_to(ItemStatus.CHANGES_REQUESTED),
        reopens=_to(ItemStatus.CHANGES_REQUESTED, since={ItemStatus.APPROVED, ItemStatus.REJECTED}),
        text=Text.REASON,
        reasons=reasons.REQUEST_FOR_CHANGES,
        hold=Hold.PAUSE,
        gate=GateAction.REQUEST_CHANGES,
        decides=True,
        settles=True,
    ),
    Action.COMMENT: ActionSpec(
        label="Comment",
        past="Commented",
        did="commented",
        done="Comment added.",
        permission=Permission.WORKFLOW_REVIEW,
        form=Form(Group.MORE, "comment", "active", "secondary", key="m", confirm="Add the comment"),
        steps=_staying(ItemStatus),
        text=Text.NOTE,
    ),
    Action.REASSIGN: ActionSpec(
        label="Reassign",
        past="Reassigned",
        did="assigned it",
        done="Reassigned.",
        permission=Permission.WORKFLOW_ASSIGN,
        form=Form(Group.MORE, "people", "active", "secondary", order=2),
        steps=_staying(OPEN),
        hold=Hold.REASSIGN,
    ),
    Action.ESCALATE: ActionSpec(
        label="Escalate",
        past="Escalated",
        did="escalated it",
        done="Escalated.",
        permission=Permission.WORKFLOW_ESCALATE,
        form=Form(Group.MORE, "up", "alert", "secondary", key="e", order=1),
        steps=_to(ItemStatus.ESCALATED, since=OPEN - {ItemStatus.ESCALATED}),
        text=Text.REASON,
        reasons=reasons.ESCALATION,
        hold=Hold.ESCALATE,
        settles=True,
    ),
    Action.OVERRIDE: ActionSpec(
        label="Override",
        past="Overridden",
        did="overrode the gate",
        done="Overridden. The gate is open for this run.",
        permission=Permission.WORKFLOW_OVERRIDE,
        form=Form(Group.MORE, "key", "warn", "danger", heading="Override the gate", order=3),
        steps=_to(ItemStatus.OVERRIDDEN),
        text=Text.REASON,
        reasons=reasons.OVERRIDE,
        phrase=True,
        only_for=WorkflowKind.EXCEPTION_REVIEW,
        approval=Approval(Verdict.APPROVED, override=True),
        decides=True,
        settles=True,
        four_eyes=True,
    ),
    Action.WITHDRAW: ActionSpec(
        label="Withdraw",
        past="Withdrawn",
        did="withdrew this review",
        done="Withdrawn.",
        permission=Permission.PROPOSALS_WRITE,
        form=Form(Group.MORE, "minus", "neutral", "quiet", order=4),
        steps=_to(ItemStatus.WITHDRAWN),
        only_for=WorkflowKind.PROPOSAL_REVIEW,
        decides=True,
        settles=True,
        offered=False,
    ),
}

OFFERED = tuple(action for action, spec in ACTIONS.items() if spec.offered)
DECIDING = tuple(action for action, spec in ACTIONS.items() if spec.decides)
BY_APPROVAL = {spec.approval: action for action, spec in ACTIONS.items() if spec.approval}


def forms_of(group: Group | str) -> list[tuple[Action, ActionSpec]]:
    """Return the actions that one group of the item's page offers, in the order of the page."""
    found = [(action, ACTIONS[action]) for action in OFFERED if ACTIONS[action].form.group == group]
    return sorted(found, key=lambda pair: pair[1].form.order)


def action_keys() -> dict[str, Action]:
    """Return which key opens the form of which action, in the order of the page."""
    forms = [pair for group in Group for pair in forms_of(group)]
    return {spec.form.key: action for action, spec in forms if spec.form.key}
