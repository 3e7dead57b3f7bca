"""The reasons that a form offers for each decision: a stable code and what it says in plain words.

The JSON surface takes any well-formed code (dpm-api §8.2); a form offers these, and they read the same wherever they are
shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.workflow import Action


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason; ``needs_comment`` where the code alone does not say enough to stand in the record."""

    code: str
    text: str
    needs_comment: bool = False


_OTHER = ReasonCode("OTHER", "Another reason, told below", needs_comment=True)

REASON_CODES: dict[Action, tuple[ReasonCode, ...]] = {
    Action.APPROVE: (
        ReasonCode("WITHIN_MANDATE", "The outcome is within the mandate"),
        ReasonCode("PHASED_INVESTMENT_AGREED", "Phased investment was agreed with the client"),
        ReasonCode("WITHDRAWAL_PLANNED", "The cash is for a planned withdrawal"),
        ReasonCode("TEMPORARY_HALT", "A temporary trading halt, acceptable until it ends"),
        ReasonCode("CAP_RESIDUE_ACCEPTED", "What a limit leaves in cash is acceptable"),
        ReasonCode("SHELF_ENTRY_REQUESTED", "The missing shelf entry is on its way"),
        ReasonCode("CLIENT_ACKNOWLEDGED", "The client knows and agrees", needs_comment=True),
        _OTHER,
    ),
    Action.REJECT: (
        ReasonCode("LIMIT_BREACH", "The breach of a limit cannot be accepted"),
        ReasonCode("RESTRICTED_TARGET", "The model holds a restricted instrument"),
        ReasonCode("BANNED_HOLDING", "The portfolio holds a banned instrument"),
        ReasonCode("HALT_TOO_LARGE", "Too much of the portfolio is halted"),
        ReasonCode("DATA_QUALITY", "Prices, rates or shelf data cannot be relied on"),
        ReasonCode("CASH_INSTRUCTION_MISSING", "The client's cash instruction is missing"),
        _OTHER,
    ),
    Action.REQUEST_CHANGE: (
        ReasonCode("CASH_INSTRUCTION_UNCLEAR", "The cash instruction is unclear", needs_comment=True),
        ReasonCode("WITHDRAWAL_CALLED_OFF", "A planned withdrawal was called off"),
        ReasonCode("MODEL_OUTDATED", "The model portfolio is out of date"),
        ReasonCode("DATA_TO_BE_CORRECTED", "Input data has to be corrected", needs_comment=True),
        ReasonCode("RESTRICTED_TARGET", "A restricted instrument has to be replaced"),
        _OTHER,
    ),
    Action.ESCALATE: (
        ReasonCode("ABOVE_MY_AUTHORITY", "The decision is above my authority"),
        ReasonCode("DEADLINE_AT_RISK", "It will not be decided in time"),
        ReasonCode("BANNED_HOLDING", "A banned instrument is involved"),
        ReasonCode("CONFLICT_OF_INTEREST", "I should not decide this myself"),
        _OTHER,
    ),
    Action.OVERRIDE: (
        ReasonCode("CLIENT_ACKNOWLEDGED", "The client knows and agrees in writing", needs_comment=True),
        ReasonCode("RESTRICTION_EXPIRING", "The restriction is about to end", needs_comment=True),
        ReasonCode("COMMITTEE_DECISION", "A committee decided so", needs_comment=True),
        _OTHER,
    ),
}


def reason_text(action: Action | None, code: str) -> str:
    """Return what a code says in plain words, the code itself in words where no form offers it."""
    offered = REASON_CODES.get(action, ()) if action else ()
    everywhere = (reason for reasons in REASON_CODES.values() for reason in reasons)
    found = next((reason.text for reason in (*offered, *everywhere) if reason.code == code), None)
    return found or code.replace("_", " ").capitalize()


def check_offered_reason(action: Action, code: str, comment: str) -> None:
    """Raise InvalidInput unless a form offers ``code`` for ``action`` and the comment that it needs is there."""
    offered = REASON_CODES.get(action)
    if offered is None:
        return
    if not code:
        raise InvalidInput("invalid_argument", "Choose a reason.", loc=("body", "reason_code"))
    reason = next((reason for reason in offered if reason.code == code), None)
    if reason is None:
        raise InvalidInput("invalid_argument", "Choose one of the listed reasons.", loc=("body", "reason_code"))
    if reason.needs_comment and not comment.strip():
        raise InvalidInput("invalid_argument", "Say more: this reason needs a comment.", loc=("body", "reason"))
