"""Saved views of the inbox: how many a person may have, and what they may be called (console.md, /inbox)."""

from __future__ import annotations

from collections.abc import Collection

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import clean_line
from lotus_web.domain.sentences import Sentence

MOST = 20
NAME_MAX = 60
TOO_MANY_VIEWS = f"You have {MOST} views, the maximum. Delete one first."
_LOC = ("body", "name")


def check_view_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a view as it is stored: 1–60 characters that no other view of the person has; raises InvalidInput."""
    name = clean_line(name, what="The name", loc=_LOC)
    if not name:
        raise InvalidInput("missing", "Enter a name for the view.", loc=_LOC)
    if len(name) > NAME_MAX:
        raise InvalidInput("value_error", Sentence("A name has at most {most} characters.", most=NAME_MAX), loc=_LOC)
    if name in taken:
        raise InvalidInput("NAME_TAKEN", Sentence("You have a view named {name} already.", name=name), loc=_LOC)
    return name


def check_room(count: int) -> None:
    """Raise InvalidInput when someone who has ``count`` views can have no other one."""
    if count >= MOST:
        raise InvalidInput("TOO_MANY_VIEWS", TOO_MANY_VIEWS, loc=_LOC)
