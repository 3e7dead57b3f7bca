"""What people write: every character that is text is accepted, in the form in which it is stored, sent and shown.

Word processors, web pages and keyboards put in characters that nobody sees: spaces that do not break become spaces, marks
of where a word may be split are dropped. What joins letters and pictures, and marks of direction, belong to the text.
"""

from __future__ import annotations

import json
import unicodedata

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import Loc

LINE_BREAKS = frozenset("\n\r\t")
# Soft hyphen, zero-width space, word joiner, byte order mark.
_DROPPED = frozenset("\u00ad\u200b\u2060\ufeff")
# Embeddings, overrides and isolates: they turn the text around them, also text that is not theirs.
_BIDI = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_NO_TEXT = frozenset({"Cc", "Cs", "Co"})


def clean_text(text: str, *, what: str, loc: Loc) -> str:
    """Return a text of any number of lines as it is stored, without space at either end; raises InvalidInput."""
    return _clean(text, breaks=LINE_BREAKS, line_end="\n", what=what, loc=loc)


def clean_line(text: str, *, what: str, loc: Loc) -> str:
    """Return a text of one line as it is stored, without space at either end; raises InvalidInput."""
    return _clean(text, breaks=frozenset(), line_end=" ", what=what, loc=loc)


def _clean(text: str, *, breaks: frozenset[str], line_end: str, what: str, loc: Loc) -> str:
    cleaned = []
    for place, char in enumerate(text, 1):
        if not (char in breaks or _is_text(char)):
            raise InvalidInput("invalid_argument", cannot_be_shown(what, char, place), loc=loc)
        cleaned.append(_as_stored(char, line_end))
    return "".join(cleaned).strip()


def _is_text(char: str) -> bool:
    return char.isprintable() or not (char in _BIDI or unicodedata.category(char) in _NO_TEXT or _is_noncharacter(char))


def _is_noncharacter(char: str) -> bool:
    """Unicode keeps these free for good; what is merely unassigned here may be the next version's emoji."""
    return ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF


def _as_stored(char: str, line_end: str) -> str:
    if char.isprintable() or char in LINE_BREAKS:
        return char
    if char in _DROPPED:
        return ""
    return {"Zs": " ", "Zl": line_end, "Zp": line_end}.get(unicodedata.category(char), char)


def escaped(text: str, *, kept: str = "") -> str:
    """Return a text for a terminal or a log: what is no visible character, but for ``kept``, is written as in JSON, ``\\u001b``.

    A terminal obeys control sequences, and marks of direction turn the line around them.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in kept else json.dumps(char)[1:-1] for char in text)


def cannot_be_shown(what: str, char: str, place: int) -> str:
    """Return the sentence that names a character which is not accepted and its place, counted from 1."""
    return f"{what} contains U+{ord(char):04X} at character {place}, which cannot be shown."


def turned_text(text: str, *, what: str) -> str | None:
    """Return the sentence that names the first character which turns the text around it, None where there is none."""
    found = ((place, char) for place, char in enumerate(text, 1) if char in _BIDI)
    place, char = next(found, (0, ""))
    return cannot_be_shown(what, char, place) if char else None


def without_untaken(text: str) -> str:
    """Return what was typed without the characters that are not accepted, so that a form can show it again."""
    return "".join(char for char in text if char in LINE_BREAKS or _is_text(char))
