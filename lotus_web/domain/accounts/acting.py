"""Who is behind what an account does: whoever made its token, or set its password not long ago, counts as the same person (ADR 0025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# The command line is whoever has a shell there: nobody who could be told from anyone else.
OPERATOR = "operator"
# Who calls while no tokens are checked, in development.
ANONYMOUS = "anonymous"
# How long whoever set someone's password counts as that person.
SHARED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Credential:
    """What an account came with: a token and who made it, or a password that somebody else set in the last 24 hours.

    ``principals`` are all who may be behind it besides the holder.
    """

    token_made_by: str | None = None
    password_set_by: str | None = None
    password_set_at: datetime | None = None
    principals: frozenset[str] = frozenset()


UNSHARED = Credential()


def principals_behind(name: str, credential: Credential = UNSHARED) -> frozenset[str]:
    """Return who counts as having done what ``name`` did with a credential; the operator counts as nobody."""
    return (credential.principals | {name}) - {OPERATOR}


def token_credential(made_by: str | None, principals: list[str] | None) -> Credential:
    """Return who is behind a token: its account alone, where its maker was not recorded yet."""
    return Credential(token_made_by=made_by, principals=frozenset(principals or ()))


def password_credential(
    name: str, *, set_by: str | None, set_at: datetime | None, principals: list[str] | None, now: datetime
) -> Credential:
    """Return who is behind a password. A clock that was set back ends nothing: what was set ahead of it was set now."""
    if set_by in (None, name) or set_at is None or now - set_at >= SHARED_FOR:
        return UNSHARED
    return Credential(password_set_by=set_by, password_set_at=set_at, principals=frozenset(principals or ()))


def principals_of(acted_by: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the principals of a stored ``acted_by`` document; none of what was stored before there was one."""
    return frozenset((acted_by or {}).get("principals", ()))


def credential_of(acted_by: Mapping[str, Any] | None) -> Credential:
    """Return the credential of a stored ``acted_by`` document."""
    said, at = acted_by or {}, (acted_by or {}).get("password_set_at")
    return Credential(
        token_made_by=said.get("token_made_by"),
        password_set_by=said.get("password_set_by"),
        password_set_at=at and datetime.fromisoformat(at),
        principals=principals_of(acted_by),
    )


def voucher(actor_id: str, on_behalf_of: str | None, posted_by: str | None) -> str | None:
    """Return the account that says who acted, to be shown with that name; None where they acted themselves.

    ``posted_by`` is the account that sent the event of another system that the action came from.
    """
    through = posted_by or actor_id
    return None if through == (on_behalf_of or actor_id) else through
