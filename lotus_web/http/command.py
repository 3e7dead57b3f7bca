"""The context of a command that comes in a request."""

from __future__ import annotations

from datetime import datetime

from lotus_web.config import current
from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface
from lotus_web.http.request_ids import current_ids
from lotus_web.services.command import CommandContext


def request_context(actor: Actor, surface: Surface, *, now: datetime | None = None) -> CommandContext:
    """Return the context of this request's command: its correlation id, ``now`` (the present if None), the policy in force."""
    return CommandContext(actor, surface, current_ids().correlation_id, now or current.utcnow(), current.policy())
