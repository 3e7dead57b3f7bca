"""The reasons that a form offers for each decision: a stable code and what it says in plain words.

They are in the table of actions (domain/items/actions.py); ``LOTUS_REASON_CODES`` may replace them
(domain/decisions/reason_codes.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason; ``needs_comment`` where the code alone does not say enough to be recorded."""

    code: str
    text: str
    needs_comment: bool = False


_OTHER = ReasonCode("OTHER", "Another reason", needs_comment=True)

APPROVAL = (
    ReasonCode("WITHIN_MANDATE", "The outcome is within the mandate"),
    ReasonCode("PHASED_INVESTMENT_AGREED", "Phased investment was agreed with the client"),
    ReasonCode("WITHDRAWAL_PLANNED", "The cash is for a planned withdrawal"),
    ReasonCode("TEMPORARY_HALT", "A temporary trading halt, acceptable until it ends"),
    ReasonCode("CAP_RESIDUE_ACCEPTED", "What a limit leaves in cash is acceptable"),
    ReasonCode("SHELF_ENTRY_REQUESTED", "The missing shelf entry is on its way"),
    ReasonCode("CLIENT_ACKNOWLEDGED", "The client knows and agrees", needs_comment=True),
    _OTHER,
)
REJECTION = (
    ReasonCode("LIMIT_BREACH", "The breach of a limit cannot be accepted"),
    ReasonCode("RESTRICTED_TARGET", "The model holds a restricted instrument"),
    ReasonCode("BANNED_HOLDING", "The portfolio holds a banned instrument"),
    ReasonCode("HALT_TOO_LARGE", "Too much of the portfolio is halted"),
    ReasonCode("DATA_QUALITY", "Prices, rates or shelf data cannot be relied on"),
    ReasonCode("CASH_INSTRUCTION_MISSING", "The client's cash instruction is missing"),
    _OTHER,
)
REQUEST_FOR_CHANGES = (
    ReasonCode("CASH_INSTRUCTION_UNCLEAR", "The cash instruction is unclear", needs_comment=True),
    ReasonCode("WITHDRAWAL_CALLED_OFF", "A planned withdrawal was called off"),
    ReasonCode("MODEL_OUTDATED", "The model portfolio is out of date"),
    ReasonCode("DATA_TO_BE_CORRECTED", "Input data has to be corrected", needs_comment=True),
    ReasonCode("RESTRICTED_TARGET", "A restricted instrument has to be replaced"),
    _OTHER,
)
ESCALATION = (
    ReasonCode("ABOVE_MY_AUTHORITY", "The decision is above my authority"),
    ReasonCode("DEADLINE_AT_RISK", "It will not be decided in time"),
    ReasonCode("BANNED_HOLDING", "A banned instrument is involved"),
    ReasonCode("CONFLICT_OF_INTEREST", "I should not decide this myself"),
    _OTHER,
)
OVERRIDE = (
    ReasonCode("CLIENT_ACKNOWLEDGED", "The client knows and agrees in writing", needs_comment=True),
    ReasonCode("RESTRICTION_EXPIRING", "The restriction is about to end", needs_comment=True),
    ReasonCode("COMMITTEE_DECISION", "A committee decided so", needs_comment=True),
    _OTHER,
)
