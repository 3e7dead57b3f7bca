"""The fields of the administrators' forms, and the field that an error belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.free_text import without_untaken
from lotus_web.web.format.sentences import page_message

# Lifetimes of a token in days; longer ones are issued from the command line.
LIFETIMES = (7, 30, 90, 365)
# People speak for themselves: what lets an account speak for them is granted from the command line.
NOT_OFFERED = frozenset({Permission.ACT_ON_BEHALF})
OFFERED = tuple(permission for permission in Permission if permission not in NOT_OFFERED)


@dataclass(frozen=True, slots=True)
class FormProblem:
    """An error of a form: its sentence, its field (None for the whole form), and the status of the response."""

    sentence: str
    field: str | None
    status: int

    @classmethod
    def of(cls, refused: InvalidInput | Conflict, *, field: str) -> FormProblem:
        """Return the error that a refusal makes; ``field`` is the one of a name that is taken."""
        if isinstance(refused, InvalidInput):
            return cls(page_message(refused), str(refused.loc[-1]), 422)
        return cls(page_message(refused), field if refused.code == "NAME_TAKEN" else None, 409)

    def at(self, field: str) -> str | None:
        """Return the sentence if it is about this field."""
        return self.sentence if self.field == field else None


def shown(typed: Mapping[str, str]) -> dict[str, str]:
    """Return the submitted values without secrets and without characters that cannot be shown."""
    return {name: without_untaken(value) for name, value in typed.items() if name not in ("password", "csrf_token")}


def role_of(word: str) -> Role:
    """Return a role by its name; raises InvalidInput."""
    if word not in set(Role):
        raise InvalidInput("invalid_argument", "Choose a role.", loc=("body", "role"))
    return Role(word)


def permissions_from(words: Iterable[str]) -> tuple[Permission, ...]:
    """Return the ticked permissions; raises InvalidInput."""
    names = tuple(words)
    offered = {permission.value: permission for permission in OFFERED}
    if not names or any(word not in offered for word in names):
        raise InvalidInput("invalid_argument", "Choose what the token may do.", loc=("body", "permissions"))
    return tuple(offered[word] for word in names)


def expiry_from(days: str, *, now: datetime) -> datetime:
    """Return when a token with this lifetime expires; raises InvalidInput."""
    if days not in {str(lifetime) for lifetime in LIFETIMES}:
        raise InvalidInput("invalid_argument", "Choose how long the token is good for.", loc=("body", "days"))
    return now + timedelta(days=int(days))
