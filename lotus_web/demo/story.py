"""What people did about the items of the latest month-end, told by the place in ``schedule.LATEST``."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.domain.items.actions import Action

NORA, TOMAS, INES, ADA = "nora.reviewer", "tomas.reviewer", "ines.manager", "ada.admin"
LENA = "lena.adviser"


@dataclass(frozen=True, slots=True)
class Step:
    """One action, ``minute`` minutes after its run."""

    minute: int
    actor: str
    action: Action
    reason_code: str | None = None
    text: str = ""
    assigned_to: str | None = None


def claim(minute: int, actor: str) -> Step:
    """Return the step of taking an item."""
    return Step(minute, actor, Action.CLAIM)


def comment(minute: int, actor: str, text: str) -> Step:
    """Return the step of leaving a note."""
    return Step(minute, actor, Action.COMMENT, None, text)


# A place that is missing here is still waiting for someone: 18 and 19 fall due within half an hour, 20 just has.
STORY: dict[int, tuple[Step, ...]] = {
    3: (claim(6, TOMAS),),
    6: (
        claim(5, NORA),
        comment(17, NORA, "Asked operations whether the transferred holding can be put on the shelf before tonight."),
    ),
    8: (
        claim(5, NORA),
        Step(
            31,
            NORA,
            Action.REQUEST_CHANGE,
            "CASH_INSTRUCTION_UNCLEAR",
            "The cash buffer is above what the mandate letter says. Send again with the agreed figure.",
        ),
    ),
    11: (
        claim(9, TOMAS),
        comment(26, TOMAS, "The venue expects to resume tomorrow. Waiting for the confirmation."),
    ),
    13: (
        claim(4, NORA),
        Step(
            40,
            NORA,
            Action.ESCALATE,
            "BANNED_HOLDING",
            "A banned name came in with a transfer. Whether it may stay is not for reviewers to decide.",
        ),
    ),
    14: (
        claim(7, TOMAS),
        Step(
            22,
            TOMAS,
            Action.APPROVE,
            "PHASED_INVESTMENT_AGREED",
            "The payment goes in over three months as agreed, so cash above the band is expected.",
        ),
    ),
    16: (
        Step(
            20,
            TOMAS,
            Action.REQUEST_CHANGE,
            "RESTRICTED_TARGET",
            "The new name is restricted. Use the alternative of the model committee or leave the old line in.",
        ),
        claim(90, TOMAS),
    ),
    19: (claim(12, NORA), comment(35, NORA, "Comparing with the other portfolios under the same limit.")),
    21: (
        claim(8, TOMAS),
        Step(
            100,
            TOMAS,
            Action.ESCALATE,
            "BANNED_HOLDING",
            "No reply from compliance, and the item is close to its deadline.",
        ),
        comment(128, INES, "Spoke to compliance. An answer is promised for this afternoon."),
    ),
    23: (
        claim(11, NORA),
        Step(
            29,
            NORA,
            Action.APPROVE,
            "PHASED_INVESTMENT_AGREED",
            "Phased investment is in the instruction. Nothing to add.",
        ),
    ),
    26: (
        claim(15, TOMAS),
        Step(
            48,
            TOMAS,
            Action.APPROVE,
            "TEMPORARY_HALT",
            "What is halted cannot be sold, and the rest makes room for it. Acceptable until trading resumes.",
        ),
    ),
    28: (
        claim(6, NORA),
        Step(
            33,
            NORA,
            Action.REJECT,
            "RESTRICTED_TARGET",
            "The model cannot be followed while its new line is restricted. Keep the holdings as they are.",
        ),
    ),
    31: (
        claim(21, TOMAS),
        Step(
            52,
            TOMAS,
            Action.APPROVE,
            "CAP_RESIDUE_ACCEPTED",
            "What the lower limit frees stays in cash and inside the band.",
        ),
    ),
    33: (
        claim(10, NORA),
        Step(
            44,
            NORA,
            Action.ESCALATE,
            "BANNED_HOLDING",
            "A transferred holding is banned and locked. Needs a decision from above.",
        ),
        comment(95, INES, "The client was told in writing and accepts that the holding stays until the ban is lifted."),
        Step(
            170,
            ADA,
            Action.OVERRIDE,
            "CLIENT_ACKNOWLEDGED",
            "Written acknowledgement is on file. The rest of the portfolio may be rebalanced around the holding.",
        ),
    ),
    35: (
        claim(14, TOMAS),
        Step(
            30,
            TOMAS,
            Action.APPROVE,
            "PHASED_INVESTMENT_AGREED",
            "The second of three instalments, same treatment as the first.",
        ),
    ),
    38: (
        Step(
            24,
            NORA,
            Action.REQUEST_CHANGE,
            "CASH_INSTRUCTION_UNCLEAR",
            "Which date is the withdrawal? The buffer depends on it.",
        ),
        claim(80, NORA),
        Step(
            92,
            NORA,
            Action.APPROVE,
            "WITHDRAWAL_PLANNED",
            "The withdrawal is on Friday, so the larger buffer is right.",
        ),
    ),
    41: (
        claim(9, TOMAS),
        Step(
            37,
            TOMAS,
            Action.REJECT,
            "HALT_TOO_LARGE",
            "Too much of the portfolio is locked to trade around it. Wait until the names trade again.",
        ),
    ),
    44: (
        claim(18, NORA),
        Step(
            63,
            NORA,
            Action.APPROVE,
            "SHELF_ENTRY_REQUESTED",
            "The transferred holding is going on the shelf. Trading around it is fine.",
        ),
    ),
    47: (
        claim(7, TOMAS),
        Step(19, TOMAS, Action.APPROVE, "WITHDRAWAL_PLANNED", "The buffer matches the planned withdrawal."),
        Step(
            1790,
            INES,
            Action.REQUEST_CHANGE,
            "WITHDRAWAL_CALLED_OFF",
            "The client called the withdrawal off this morning. Run it again without the buffer.",
        ),
    ),
    50: (
        claim(12, NORA),
        Step(
            58,
            NORA,
            Action.ESCALATE,
            "RESTRICTED_TARGET",
            "The restriction ends tomorrow and the client wants to wait in cash.",
        ),
        Step(
            131,
            ADA,
            Action.OVERRIDE,
            "RESTRICTION_EXPIRING",
            "The restriction was lifted early. Cash above the band for one day is accepted.",
        ),
    ),
    53: (
        claim(16, NORA),
        Step(70, INES, Action.REASSIGN, None, "Evening out the load before the close.", assigned_to=TOMAS),
        Step(
            88,
            TOMAS,
            Action.APPROVE,
            "CAP_RESIDUE_ACCEPTED",
            "The limit was lowered on purpose. The small remainder in cash is fine.",
        ),
    ),
    57: (
        claim(20, TOMAS),
        comment(51, NORA, "The same names are halted in two other portfolios, both were approved."),
        Step(
            77,
            TOMAS,
            Action.APPROVE,
            "TEMPORARY_HALT",
            "As with the other portfolios: nothing can be done until trading resumes.",
        ),
    ),
}


def story_of(place: int) -> tuple[Step, ...]:
    """Return what was done about the item at a place of the latest month-end; nothing for one that still waits."""
    return STORY.get(place, ())
