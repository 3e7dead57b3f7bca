"""How the person of a session signed in, as sessions and decisions record it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from lotus_web.domain.access import Role

EVERYONE = "everyone"
# What the setting of a required second factor can name.
REQUIRABLE = (EVERYONE, *(role.value for role in Role))


class Method(StrEnum):
    """A way to sign in; those of two factors name both."""

    PASSWORD = "password"
    PASSKEY = "passkey"
    PASSWORD_AND_PASSKEY = "password+passkey"
    PASSWORD_AND_CODE = "password+recovery_code"


def lacks_second_factor(method: str | None, roles: Iterable[str], required: Iterable[str]) -> bool:
    """Return whether somebody signed in with a password alone although one of their roles, or everyone, needs more."""
    named = set(required)
    return method in (None, Method.PASSWORD) and bool(named & {EVERYONE, *roles})
