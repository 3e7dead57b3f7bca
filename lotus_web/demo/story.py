"""What happened to the items of the latest month-end, told by the place in ``schedule.LATEST``, and how older ones ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

NORA, TOMAS, INES, ADA = "nora.reviewer", "tomas.reviewer", "ines.manager", "ada.admin"
HISTORY_PATTERN = 997


@dataclass(frozen=True, slots=True)
class Step:
    """One action, ``minute`` minutes after its run."""

    minute: int
    actor: str
    action: str
    reason_code: str | None = None
    text: str = ""
    assigned_to: str | None = None


def _claim(minute: int, actor: str) -> Step:
    return Step(minute, actor, "claim")


def _comment(minute: int, actor: str, text: str) -> Step:
    return Step(minute, actor, "comment", None, text)


# A place that is missing here is still waiting for someone: 18 and 19 fall due within half an hour, 20 just has.
STORY: dict[int, tuple[Step, ...]] = {
    3: (_claim(6, TOMAS),),
    6: (
        _claim(5, NORA),
        _comment(17, NORA, "Asked operations whether the transferred holding can be put on the shelf before tonight."),
    ),
    8: (
        _claim(5, NORA),
        Step(
            31,
            NORA,
            "request_change",
            "CASH_INSTRUCTION_UNCLEAR",
            "The cash buffer is above what the mandate letter says. Send again with the agreed figure.",
        ),
    ),
    11: (
        _claim(9, TOMAS),
        _comment(26, TOMAS, "The venue expects to resume tomorrow. Waiting for the confirmation."),
    ),
    13: (
        _claim(4, NORA),
        Step(
            40,
            NORA,
            "escalate",
            "BANNED_HOLDING",
            "A banned name came in with a transfer. Whether it may stay is not for the desk to decide.",
        ),
    ),
    14: (
        _claim(7, TOMAS),
        Step(
            22,
            TOMAS,
            "approve",
            "PHASED_INVESTMENT_AGREED",
            "The payment goes in over three months as agreed, so cash above the band is expected.",
        ),
    ),
    16: (
        Step(
            20,
            TOMAS,
            "request_change",
            "RESTRICTED_TARGET",
            "The new name is restricted. Use the alternative of the model committee or leave the old line in.",
        ),
        _claim(90, TOMAS),
    ),
    19: (_claim(12, NORA), _comment(35, NORA, "Comparing with the other portfolios under the same limit.")),
    21: (
        _claim(8, TOMAS),
        Step(
            100, TOMAS, "escalate", "BANNED_HOLDING", "No reply from compliance, and the item is close to its deadline."
        ),
        _comment(128, INES, "Spoke to compliance. An answer is promised for this afternoon."),
    ),
    23: (
        _claim(11, NORA),
        Step(
            29, NORA, "approve", "PHASED_INVESTMENT_AGREED", "Phased investment is in the instruction. Nothing to add."
        ),
    ),
    26: (
        _claim(15, TOMAS),
        Step(
            48,
            TOMAS,
            "approve",
            "TEMPORARY_HALT",
            "Halted names cannot be sold, the rest is in line. Cash is short until trading resumes.",
        ),
    ),
    28: (
        _claim(6, NORA),
        Step(
            33,
            NORA,
            "reject",
            "RESTRICTED_TARGET",
            "The model cannot be followed while its new line is restricted. Keep the holdings as they are.",
        ),
    ),
    31: (
        _claim(21, TOMAS),
        Step(
            52,
            TOMAS,
            "approve",
            "CAP_RESIDUE_ACCEPTED",
            "What the lower limit frees stays in cash and inside the band.",
        ),
    ),
    33: (
        _claim(10, NORA),
        Step(
            44,
            NORA,
            "escalate",
            "BANNED_HOLDING",
            "A transferred holding is banned and locked. Needs a decision from above.",
        ),
        _comment(
            95, INES, "The client was told in writing and accepts that the holding stays until the ban is lifted."
        ),
        Step(
            170,
            ADA,
            "override",
            "CLIENT_ACKNOWLEDGED",
            "Written acknowledgement is on file. The rest of the portfolio may be rebalanced around the holding.",
        ),
    ),
    35: (
        _claim(14, TOMAS),
        Step(
            30,
            TOMAS,
            "approve",
            "PHASED_INVESTMENT_AGREED",
            "The second of three instalments, same treatment as the first.",
        ),
    ),
    38: (
        Step(
            24,
            NORA,
            "request_change",
            "CASH_INSTRUCTION_UNCLEAR",
            "Which date is the withdrawal? The buffer depends on it.",
        ),
        _claim(80, NORA),
        Step(92, NORA, "approve", "WITHDRAWAL_PLANNED", "The withdrawal is on Friday, so the larger buffer is right."),
    ),
    41: (
        _claim(9, TOMAS),
        Step(
            37,
            TOMAS,
            "reject",
            "HALT_TOO_LARGE",
            "Too much of the portfolio is locked to trade around it. Wait until the names trade again.",
        ),
    ),
    44: (
        _claim(18, NORA),
        Step(
            63,
            NORA,
            "approve",
            "SHELF_ENTRY_REQUESTED",
            "The transferred holding is going on the shelf. Trading around it is fine.",
        ),
    ),
    47: (
        _claim(7, TOMAS),
        Step(19, TOMAS, "approve", "WITHDRAWAL_PLANNED", "The buffer matches the planned withdrawal."),
        Step(
            1790,
            INES,
            "request_change",
            "WITHDRAWAL_CALLED_OFF",
            "The client called the withdrawal off this morning. Run it again without the buffer.",
        ),
    ),
    50: (
        _claim(12, NORA),
        Step(
            58,
            NORA,
            "escalate",
            "RESTRICTED_TARGET",
            "The restriction ends tomorrow and the client wants to wait in cash.",
        ),
        Step(
            131,
            ADA,
            "override",
            "RESTRICTION_EXPIRING",
            "The restriction was lifted early. Cash above the band for one day is accepted.",
        ),
    ),
    53: (
        _claim(16, NORA),
        Step(70, INES, "reassign", None, "Evening out the load before the close.", assigned_to=TOMAS),
        Step(
            88,
            TOMAS,
            "approve",
            "CAP_RESIDUE_ACCEPTED",
            "The limit was lowered on purpose. The small remainder in cash is fine.",
        ),
    ),
    57: (
        _claim(20, TOMAS),
        _comment(51, NORA, "The same names are halted in two other portfolios, both were approved."),
        Step(
            77,
            TOMAS,
            "approve",
            "TEMPORARY_HALT",
            "As with the other portfolios: nothing can be done until trading resumes.",
        ),
    ),
}

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


def story_of(place: int) -> tuple[Step, ...]:
    """Return what was done about the item at a place of the latest month-end; nothing for one that still waits."""
    return STORY.get(place, ())


def history_of(index: int, circumstance: str) -> tuple[Step, ...]:
    """Return how an older item was closed: about 84 in a hundred approved, 11 rejected, 3 after a change, 2 overridden."""
    return _ending(index * 7919 % HISTORY_PATTERN, circumstance)


@lru_cache(maxsize=HISTORY_PATTERN * len(APPROVALS))
def _ending(draw: int, circumstance: str) -> tuple[Step, ...]:
    reviewer = NORA if draw % 2 else TOMAS
    claimed, share = 2 + draw % 41, draw % 100
    decided = claimed + 3 + draw * draw % 89
    claim = _claim(claimed, reviewer)
    approved, rejected = APPROVALS[circumstance], REJECTIONS[circumstance]
    if share < 84:
        return (claim, Step(decided, reviewer, "approve", *approved))
    if share < 95:
        return (claim, Step(decided, reviewer, "reject", *rejected))
    if share < 98:
        sent_back = Step(decided, reviewer, "request_change", *rejected)
        return (claim, sent_back, Step(decided + 45, reviewer, "approve", *approved))
    escalated = Step(decided, reviewer, "escalate", *rejected)
    return (claim, escalated, Step(decided + 60, ADA, "override", *approved))
