"""How long items have waited, in the groups that the board draws and the inbox filters by (console.md, /sla)."""

from __future__ import annotations

from enum import StrEnum


class Age(StrEnum):
    """A group of waiting times by its name in addresses; the groups follow one another without a gap."""

    UNDER_1H = "under-1h"
    UNDER_4H = "1h-4h"
    UNDER_8H = "4h-8h"
    UNDER_24H = "8h-24h"
    UNDER_3D = "1d-3d"
    OVER_3D = "over-3d"

    @property
    def upto_hours(self) -> int | None:
        """Hours that an item of this group has waited less than; None for the last."""
        return _UPTO[self]

    @property
    def from_hours(self) -> int:
        """Hours that an item of this group has waited at least."""
        place = list(Age).index(self)
        return (_UPTO[list(Age)[place - 1]] or 0) if place else 0

    @property
    def label(self) -> str:
        """The words on its bar."""
        return _LABELS[self]


_UPTO = {
    Age.UNDER_1H: 1,
    Age.UNDER_4H: 4,
    Age.UNDER_8H: 8,
    Age.UNDER_24H: 24,
    Age.UNDER_3D: 72,
    Age.OVER_3D: None,
}
_LABELS = {
    Age.UNDER_1H: "under 1 h",
    Age.UNDER_4H: "1–4 h",
    Age.UNDER_8H: "4–8 h",
    Age.UNDER_24H: "8–24 h",
    Age.UNDER_3D: "1–3 d",
    Age.OVER_3D: "over 3 d",
}
