"""A refused request as a line of the record: who tried what, on what, and why not. The gates of pages and JSON write it here.

What goes on record is a write, or an export, that was refused to someone who is known; looking at what one may not see does not.
"""

from __future__ import annotations

from flask import g, request

from lotus_web import current
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import LotusError
from lotus_web.opaque_ids import sent_path
from lotus_web.request_ids import current_ids
from lotus_web.services.failures import Attempt, put_on_record

LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})


def name_attempt(action: str, subject: str) -> None:
    """Note what this request is about to try; until then it is known by its route and the id in its address."""
    g.attempted = (action, subject)


def put_request_on_record(refused: LotusError, *, actor: Actor, surface: str, route: str) -> None:
    """Put a refusal of this request on record, unless it is there already or is none (see ``put_on_record``)."""
    action, subject = g.get("attempted") or (route, _addressed())
    ids = current_ids()
    put_on_record(Attempt(actor, subject, action, surface, ids.correlation_id, current.utcnow()), refused)


def _addressed() -> str:
    return next((str(value) for value in (request.view_args or {}).values()), sent_path())
