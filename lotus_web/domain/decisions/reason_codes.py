"""The reasons that a form offers for each decision: a stable code and what it says in plain words.

The RFC surface takes any well-formed code (dpm-api §8.2): clients bring their own. ``/api/v1`` acts on the same items and
does so too, until ``LOTUS_REASON_CODES`` replaces this list by a closed one. A form takes what it offers and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lotus_web.domain.decisions.gate import check_reason_code
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.transitions import Action, check_free_text


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason; ``needs_comment`` where the code alone does not say enough to stand in the record."""

    code: str
    text: str
    needs_comment: bool = False


_OTHER = ReasonCode("OTHER", "Another reason", needs_comment=True)

# What the desk itself writes, where nobody chose a code.
NO_REASON_CODE = "UNSPECIFIED"
_OWN_WORDS = {"SLA_BREACHED": "The due time passed", NO_REASON_CODE: "No reason code was given"}

Catalogue = Mapping[Action, tuple[ReasonCode, ...]]

REASON_CODES: Catalogue = {
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


def parse_catalogue(raw: str) -> Catalogue:
    """Read ``{"approve": [{"code", "text", "needs_comment"}, …]}``; actions left out keep their codes. Raises ValueError."""
    document = json.loads(raw)
    if not isinstance(document, dict):
        raise ValueError("an object is wanted")
    own = {Action(word): tuple(_parsed(entry) for entry in entries) for word, entries in document.items()}
    if any(action not in REASON_CODES or not codes for action, codes in own.items()):
        raise ValueError("only decisions have reasons, and each needs one")
    for codes in own.values():
        if len({reason.code for reason in codes}) != len(codes):
            raise ValueError("a code stands once in a list")
    return {**REASON_CODES, **own}


def _parsed(entry: Any) -> ReasonCode:
    if not isinstance(entry, dict) or not {"code", "text"} <= entry.keys() <= {"code", "text", "needs_comment"}:
        raise ValueError("an entry has a code, a text and perhaps needs_comment")
    code, text, needs_comment = entry["code"], entry["text"], entry.get("needs_comment", False)
    if not isinstance(code, str) or not isinstance(text, str) or not text.strip() or type(needs_comment) is not bool:
        raise ValueError("code and text are texts, needs_comment is true or false")
    try:
        return ReasonCode(check_reason_code(code), text.strip(), needs_comment)
    except InvalidInput as wrong:
        raise ValueError(str(wrong)) from None


def reason_text(action: Action | None, code: str, codes: Catalogue = REASON_CODES) -> str:
    """Return what a code says in plain words, the code itself in words where no form offers it."""
    offered = codes.get(action, ()) if action else ()
    everywhere = (reason for reasons in codes.values() for reason in reasons)
    found = next((reason.text for reason in (*offered, *everywhere) if reason.code == code), None)
    return found or _OWN_WORDS.get(code) or code.replace("_", " ").capitalize()


def check_offered_reason(action: Action, code: str, comment: str, codes: Catalogue = REASON_CODES) -> None:
    """Raise InvalidInput unless a form offers ``code`` for ``action`` and the comment that it needs is there."""
    if action not in codes:
        return
    if not code:
        raise InvalidInput("invalid_argument", "Choose a reason.", loc=("body", "reason_code"))
    if all(reason.code != code for reason in codes[action]):
        raise InvalidInput("invalid_argument", "Choose one of the listed reasons.", loc=("body", "reason_code"))
    check_comment_of(action, code, comment, codes)


def is_closed(codes: Catalogue) -> bool:
    """Return whether a deployment's own list is in force, which programs are held to as forms are."""
    return codes is not REASON_CODES


def check_programs_reason(action: Action, code: str | None, comment: str, codes: Catalogue = REASON_CODES) -> None:
    """Raise InvalidInput where a program's reason cannot be: a closed list asks for one of its codes, as a form does."""
    if is_closed(codes):
        check_offered_reason(action, code or "", comment, codes)
    elif code is not None:
        check_comment_of(action, code, comment, codes)


def check_comment_of(action: Action, code: str, comment: str, codes: Catalogue = REASON_CODES) -> None:
    """Raise InvalidInput where the catalogue wants a comment beside this code and there is none."""
    reason = next((reason for reason in codes.get(action, ()) if reason.code == code), None)
    if reason is not None and reason.needs_comment and not check_free_text(comment):
        raise InvalidInput("invalid_argument", "Say more: this reason needs a comment.", loc=("body", "reason"))
