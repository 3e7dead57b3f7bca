"""The names that accounts and tenants may have."""

from __future__ import annotations

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import Loc, check_visible

NAME_MAX = 64


def check_account_name(value: str, *, loc: Loc = ("body", "name")) -> str:
    """Return the name of a person or service account: 1–64 visible characters without ``:``; raises InvalidInput.

    Workflow ids are joined with colons, and an account named in one must not look like another part of it.
    """
    check_visible(value, "name", longest=NAME_MAX, loc=loc)
    if ":" in value:
        raise InvalidInput("value_error", "name must not contain a colon", loc=loc)
    return value


def check_tenant_id(value: str) -> str:
    """Return the tenant: 1–64 visible characters; raises InvalidInput."""
    return check_visible(value, "tenant", longest=NAME_MAX, loc=("body", "tenant"))
