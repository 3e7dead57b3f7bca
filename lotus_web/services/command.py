"""The context of a command: what every step of it needs to know besides what it is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Who gives a command, through which surface, in which request, when, and under which settings.

    The entry point builds it once, so that one instant and one policy hold from the first check to the last row.
    ``correlation_id`` is the request's; a job takes the trace id of the item it works on.
    """

    actor: Actor
    surface: Surface
    correlation_id: str
    now: datetime
    policy: DeploymentPolicy
