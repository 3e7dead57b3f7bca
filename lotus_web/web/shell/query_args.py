"""Reading filters out of an address: an absent or empty argument filters nothing, an invalid one is refused (422)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import TypeVar
from unicodedata import category

from flask import request

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.sentences import Sentence

E = TypeVar("E", bound=Enum)
LONGEST = 400
DAY = len("2026-01-31")
# Arguments whose name alone would not tell which field is meant.
_FIELDS = {
    "q": "The text",
    "id": "The id",
    "actor_id": "The name",
    "actor": "The name",
    "decided": "Decided on",
    "escalated": "Escalated on",
}


def text_arg(name: str) -> str | None:
    """Return a text without the space around it; raises InvalidInput for one that no id or search would be."""
    value = request.args.get(name, "").strip()
    if len(value) > LONGEST:
        raise InvalidInput(
            "invalid_argument", Sentence("{field} is too long to look for.", field=_label(name)), loc=("query", name)
        )
    if any(category(char) == "Cc" for char in value):
        raise InvalidInput(
            "invalid_argument",
            Sentence("{field} contains control characters.", field=_label(name)),
            loc=("query", name),
        )
    return value or None


def enum_arg(name: str, kind: type[E]) -> E | None:
    """Return a member by its value; raises InvalidInput."""
    return choice_arg(name, {str(member.value): member for member in kind})


def choice_arg(name: str, choices: dict[str, E]) -> E | None:
    """Return the value of a word; raises InvalidInput listing the words that are allowed."""
    word = text_arg(name)
    if word is None:
        return None
    if word not in choices:
        raise InvalidInput(
            "invalid_argument",
            Sentence("{field} is one of {choices}.", field=_label(name), choices=_names(choices)),
            loc=("query", name),
        )
    return choices[word]


def day_arg(name: str) -> date | None:
    """Return a UTC day; raises InvalidInput."""
    start = instant_arg(name)
    return start.date() if start else None


def instant_arg(name: str, *, end_of_day: bool = False) -> datetime | None:
    """Return an instant; a bare day is its first or last microsecond, a time without zone is UTC (delta 12)."""
    word = text_arg(name)
    if word is None:
        return None
    try:
        value = datetime.fromisoformat(word.replace(" ", "+"))
    except ValueError:
        raise InvalidInput(
            "invalid_argument",
            Sentence("{field} is a day such as 2026-01-31.", field=_label(name)),
            loc=("query", name),
        ) from None
    if len(word) == DAY and end_of_day:
        value = datetime.combine(value.date(), time.max)
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not datetime(1970, 1, 2, tzinfo=UTC) <= value <= datetime(9999, 12, 30, tzinfo=UTC) + timedelta(days=1):
        raise InvalidInput(
            "invalid_argument", Sentence("{field} is too far away.", field=_label(name)), loc=("query", name)
        )
    return value.astimezone(UTC)


def check_order(start: datetime | None, end: datetime | None) -> None:
    """Raise InvalidInput when a range ends before it starts (delta 12)."""
    if start and end and start > end:
        raise InvalidInput("invalid_argument", "The range ends before it starts.", loc=("query", "to"))


def _label(name: str) -> str:
    return _FIELDS.get(name) or name.replace("_", " ").removesuffix(" id").capitalize()


def _names(words: Iterable[str]) -> str:
    return ", ".join(words)
