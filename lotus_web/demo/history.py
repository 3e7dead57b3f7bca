"""How the items of earlier month-ends were closed, so that there are precedents and a decision history."""

from __future__ import annotations

from functools import lru_cache

from lotus_web.demo.story import ADA, NORA, TOMAS, Step, claim
from lotus_web.domain.items.actions import Action

HISTORY_PATTERN = 997

APPROVALS = {
    "restricted_target": ("RESTRICTION_EXPIRING", "The restriction ends within days. Cash until then is accepted."),
    "suspended": ("TEMPORARY_HALT", "The halted names cannot be traded. The rest follows the model."),
    "turnover_capped": ("PHASED_INVESTMENT_AGREED", "The payment is invested in steps as agreed."),
    "cap_lowered": ("CAP_RESIDUE_ACCEPTED", "The limit was lowered on purpose. The remainder stays in cash."),
    "cash_buffer": ("WITHDRAWAL_PLANNED", "The buffer matches a planned withdrawal."),
    "legacy_off_shelf": ("SHELF_ENTRY_REQUESTED", "The transferred holding is going on the shelf."),
    "legacy_banned": ("CLIENT_ACKNOWLEDGED", "The client acknowledged in writing that the holding stays locked."),
}
REJECTIONS = {
    "restricted_target": ("RESTRICTED_TARGET", "The model cannot be followed while its new line is restricted."),
    "suspended": ("HALT_TOO_LARGE", "Too much of the portfolio is locked to trade around it."),
    "turnover_capped": (
        "TURNOVER_LIMIT_UNSUITABLE",
        "The turnover limit should be lifted for this payment. Run it again.",
    ),
    "cap_lowered": ("MODEL_BREACHES_CAP", "The model has to change with the limit."),
    "cash_buffer": ("CASH_INSTRUCTION_UNCLEAR", "No instruction for so much cash is on file."),
    "legacy_off_shelf": ("UNKNOWN_INSTRUMENT", "Nobody has classified the holding yet."),
    "legacy_banned": ("BANNED_HOLDING", "The holding has to leave the portfolio first."),
}


def history_of(index: int, circumstance: str) -> tuple[Step, ...]:
    """Return how an older item was closed: of a hundred 84 approved, 11 rejected, 3 after a change, 2 overridden."""
    return _ending(index * 7919 % HISTORY_PATTERN, circumstance)


@lru_cache(maxsize=HISTORY_PATTERN * len(APPROVALS))
def _ending(draw: int, circumstance: str) -> tuple[Step, ...]:
    reviewer = NORA if draw % 2 else TOMAS
    claimed, share = 2 + draw % 41, draw % 100
    decided = claimed + 3 + draw * draw % 89
    taken = claim(claimed, reviewer)
    approved, rejected = APPROVALS[circumstance], REJECTIONS[circumstance]
    if share < 84:
        return (taken, Step(decided, reviewer, Action.APPROVE, *approved))
    if share < 95:
        return (taken, Step(decided, reviewer, Action.REJECT, *rejected))
    if share < 98:
        sent_back = Step(decided, reviewer, Action.REQUEST_CHANGE, *rejected)
        return (taken, sent_back, Step(decided + 45, reviewer, Action.APPROVE, *approved))
    escalated = Step(decided, reviewer, Action.ESCALATE, *rejected)
    return (taken, escalated, Step(decided + 60, ADA, Action.OVERRIDE, *approved))
