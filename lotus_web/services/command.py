"""The context of a command: what every step of it needs to know besides what it is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How whoever gives a command proved who they are: ``method``, the hash of the session or the id of the token, the address.

    None is what is not known.
    """

    method: str | None
    session: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Who gives a command, through which surface, in which request, when, and under which settings.

    The entry point builds it once, so that one instant and one policy hold from the first check to the last row.
    ``correlation_id`` is the request's; a job takes the trace id of the item it works on. ``signed_in`` is None where no request is.
    """

    actor: Actor
    surface: Surface
    correlation_id: str
    now: datetime
    policy: DeploymentPolicy
    signed_in: SignedIn | None = None
