"""The context of a command that comes in a request."""

from __future__ import annotations

from datetime import datetime

from flask import request

from lotus_web.config import current
from lotus_web.domain.access import Actor
from lotus_web.domain.surface import Surface
from lotus_web.http.request_ids import current_ids
from lotus_web.services.command import CommandContext, SignedIn

# How a program signs in, as the log names it; for people see domain/sign_in/methods.py.
TOKEN = "token"


def request_context(
    actor: Actor,
    surface: Surface,
    *,
    now: datetime | None = None,
    session_hash: str | None = None,
    method: str | None = None,
) -> CommandContext:
    """Return the context of this request's command: its correlation id, ``now`` (the present if None), the policy in force.

    ``session_hash`` is of the session of a person, who signed in by ``method``; programs come with a token, or with nothing.
    """
    method = method or (TOKEN if actor.token_id is not None else None)
    signed_in = SignedIn(method, session_hash or actor.token_id, request.remote_addr)
    ids, at = current_ids(), now or current.utcnow()
    return CommandContext(actor, surface, ids.correlation_id, at, current.policy(), signed_in)
