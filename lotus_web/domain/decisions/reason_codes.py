"""The reasons that a form offers for each decision: a stable code and what it says in plain words.

The RFC surface takes any well-formed code (dpm-api §8.2): clients bring their own. ``/api/v1`` acts on the same items and
does so too, until ``LOTUS_REASON_CODES`` replaces this list by a closed one. A form takes what it offers and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotus_web.domain.decisions.gate import check_reason_code
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.reasons import ReasonCode as ReasonCode
from lotus_web.domain.items.transitions import check_free_text
from lotus_web.domain.json_members import read_json

# What Lotus Web itself writes, where nobody chose a code.
NO_REASON_CODE = "UNSPECIFIED"
_OWN_WORDS = {
    "SLA_BREACHED": "The due time passed",
    "CLAIM_LAPSED": "The claim expired",
    NO_REASON_CODE: "No reason code was given",
}

Catalogue = Mapping[Action, tuple[ReasonCode, ...]]

REASON_CODES: Catalogue = {action: spec.reasons for action, spec in ACTIONS.items() if spec.reasons}


def parse_catalogue(raw: str) -> Catalogue:
    """Read ``{"approve": [{"code", "text", "needs_comment"}, …]}``; actions left out keep their codes. Raises ValueError."""
    document = read_json(raw)
    if not isinstance(document, dict):
        raise ValueError("an object is required")
    own = {Action(word): tuple(_parsed(entry) for entry in entries) for word, entries in document.items()}
    if any(action not in REASON_CODES or not codes for action, codes in own.items()):
        raise ValueError("only decisions have reasons, and each needs one")
    for codes in own.values():
        if len({reason.code for reason in codes}) != len(codes):
            raise ValueError("a code may occur only once in a list")
    return {**REASON_CODES, **own}


def _parsed(entry: Any) -> ReasonCode:
    if not isinstance(entry, dict) or not {"code", "text"} <= entry.keys() <= {"code", "text", "needs_comment"}:
        raise ValueError("an entry has a code, a text and optionally needs_comment")
    code, text, needs_comment = entry["code"], entry["text"], entry.get("needs_comment", False)
    if not isinstance(code, str) or not isinstance(text, str) or not text.strip() or type(needs_comment) is not bool:
        raise ValueError("code and text must be text, needs_comment true or false")
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
    """Raise InvalidInput where the catalogue requires a comment with this code and there is none."""
    reason = next((reason for reason in codes.get(action, ()) if reason.code == code), None)
    if reason is not None and reason.needs_comment and not check_free_text(comment):
        raise InvalidInput("invalid_argument", "Add a comment: this reason requires one.", loc=("body", "reason"))
