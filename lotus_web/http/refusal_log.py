"""How a refused request is recorded: who tried which action, on what, and why it was refused. Pages and JSON routes report here.

A refused write by a known caller becomes a line of the audit log. Reading writes nothing (delta 15), so a refused read, of an
export too, becomes a line of the application log.
"""

from __future__ import annotations

import structlog
from flask import g, request

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import LotusError
from lotus_web.domain.surface import Surface
from lotus_web.http.command import request_context
from lotus_web.services.audit.transaction import NO_REFUSALS, RECORDED_DETAILS, AuditedAction, Subject, log_refusal

LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
# The mark on the view of a JSON route: the name under which its refusals are recorded, however it is mounted.
RECORDED_AS = "recorded_as"
log = structlog.get_logger(__name__)


def set_audit_subject(action: str, subject: Subject) -> None:
    """Say what this request does and on what; until then a refusal is logged under its route and the id in its address."""
    g.audit_subject = (action, subject)


def record_refusal_of_request(refused: LotusError, *, actor: Actor, surface: Surface, route: str) -> None:
    """Record the refusal of this request once: in the audit log for a write, in the log for a read (see ``log_refusal``)."""
    if request.method in LOOKING:
        _log(refused, actor, surface)
        return
    action, subject = g.get("audit_subject") or (route, _addressed())
    log_refusal(AuditedAction(request_context(actor, surface), action, subject), refused)


def _log(refused: LotusError, actor: Actor, surface: Surface) -> None:
    if refused.logged or isinstance(refused, NO_REFUSALS):
        return
    refused.logged = True
    details = {name: refused.details[name] for name in RECORDED_DETAILS if name in refused.details}
    # Named here: where another tenant was asked for, no actor has been bound to the request's log lines yet.
    who = {"tenant": actor.tenant_id, "account": actor.actor_id}
    route = request.url_rule.rule if request.url_rule else None
    log.warning("look_refused", route=route, surface=surface.value, code=refused.code, details=details, **who)


def _addressed() -> str:
    return next((str(value) for value in (request.view_args or {}).values()), request.path)
