"""How the page of an item shows an action."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Where the item's page has the form of an action."""

    HOLDER = "holder"  # one click, next to who holds the item
    DECIDE = "decide"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Form:
    """How pages show an action: group, icon, tone and style of the button, and the key that opens the form.

    ``heading`` and ``confirm`` are the label unless given; ``names_subject`` adds what the item is about to the button, and
    ``order`` is the place within the group.
    """

    group: Group
    icon: str
    tone: str
    button: str
    key: str | None = None
    heading: str | None = None
    confirm: str | None = None
    names_subject: bool = False
    order: int = 0
