"""The gate of RFC-0020: which runs need a person, and what the gate says of one."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.actions import GateAction as GateAction
from lotus_web.domain.items.transitions import GATED_TRANSITIONS, REASON_CODE_MAX
from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.sentences import Sentence

REASON_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


class GateStatus(StrEnum):
    """What the gate says of a run (RFC-0020 §4.2)."""

    NOT_REQUIRED = "NOT_REQUIRED"
    PENDING_REVIEW = "PENDING_REVIEW"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


ITEM_ACTION: dict[GateAction, Action] = {spec.gate: action for action, spec in ACTIONS.items() if spec.gate}

_GATE_OF_ITEM = {
    ItemStatus.APPROVED: GateStatus.APPROVED,
    ItemStatus.OVERRIDDEN: GateStatus.APPROVED,
    ItemStatus.REJECTED: GateStatus.REJECTED,
}

# The gate of a run takes no decision on these; a run's own review is never withdrawn.
_FINAL = (ItemStatus.OVERRIDDEN, ItemStatus.WITHDRAWN)


def _of_item(status: ItemStatus) -> GateStatus:
    return _GATE_OF_ITEM.get(status, GateStatus.PENDING_REVIEW)


# What the steps of a run's item mean at its gate; an override is final and is checked apart.
GATE_TRANSITIONS: dict[tuple[GateStatus, GateAction], GateStatus] = {
    (_of_item(status), gate): _of_item(after)
    for (status, action), after in GATED_TRANSITIONS.items()
    if (gate := ACTIONS[action].gate) is not None
}


def requires_review(run_status: str, *, enabled: bool, review_statuses: Collection[str]) -> bool:
    """Return whether a run of this status needs a person (RFC-0020 §4.3)."""
    return enabled and run_status in review_statuses


def gate_status(*, required: bool, item_status: ItemStatus | None) -> GateStatus:
    """Return the gate status of a run; the item is the one truth, and a required run without one is pending."""
    if not required:
        return GateStatus.NOT_REQUIRED
    if item_status is None:
        return GateStatus.PENDING_REVIEW
    return _of_item(item_status)


def check_gate_transition(status: GateStatus, action: GateAction, item_status: ItemStatus | None) -> GateStatus:
    """Return the gate status after ``action``; raises Conflict with the RFC's code."""
    if status is GateStatus.NOT_REQUIRED:
        raise Conflict("DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS")
    after = GATE_TRANSITIONS.get((status, action))
    if after is None or item_status in _FINAL:
        raise Conflict("DPM_WORKFLOW_INVALID_TRANSITION")
    return after


def check_reason_code(code: str) -> str:
    """Return an upper-case snake-case reason code of bounded length; raises InvalidInput."""
    if len(code) > REASON_CODE_MAX or not REASON_CODE.fullmatch(code):
        raise InvalidInput(
            "invalid_argument",
            Sentence(
                "A reason code is upper-case letters, digits and underscores, at most {most}.", most=REASON_CODE_MAX
            ),
            loc=("body", "reason_code"),
        )
    return code


def priority_of(run_status: str, *, soft_failures: int) -> Priority:
    """Return how urgent a run's review is: blocked runs first, then broken soft rules, then the rest."""
    if run_status == "BLOCKED":
        return Priority.URGENT
    return Priority.HIGH if soft_failures else Priority.NORMAL
