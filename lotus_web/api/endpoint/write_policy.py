"""What a write to the JSON paths must pass before it is even routed: its size, then the enterprise policy (dpm-api §1.3)."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from lotus_web.api.endpoint.auth import caller, known_caller
from lotus_web.api.endpoint.json_body import check_declared_size, check_sent_size, drain, has_undeclared_size
from lotus_web.api.endpoint.refusals import Envelope
from lotus_web.api.endpoint.routing import mounted_envelope, refusal_of
from lotus_web.config import current
from lotus_web.domain.errors import Forbidden, LotusError
from lotus_web.domain.write_policy import WRITES, check_write
from lotus_web.http.refusal_log import record_refusal_of_request
from lotus_web.http.request_ids import sent_header


def init_app(app: Flask) -> None:
    """Check every write under a JSON prefix, whether or not there is such a route."""
    app.before_request(refuse_write)


def refuse_write() -> Response | None:
    """Answer 413, 408 or 403 to a write that may not go on; None for every other request. The pages' forms are not looked at."""
    envelope = mounted_envelope()
    if envelope is None or request.method not in WRITES:
        return None
    settings = current.settings()
    try:
        check_declared_size()
        if has_undeclared_size() and _is_known():
            check_sent_size()
        if settings.enforce_authz:
            check_write(settings.capability_rules, method=request.method, path=request.path, sent=sent_header)
    except (RequestEntityTooLarge, RequestTimeout, Forbidden) as refused:
        if isinstance(refused, Forbidden):
            _log_refusal(refused, envelope)
        elif _is_known():
            drain()
        return refusal_of(refused, envelope).response()
    return None


def _is_known() -> bool:
    """Return whether the caller sent a valid token; nobody else's body is waited for, so slow ones hold no thread."""
    if known_caller() is None:
        with suppress(LotusError, SQLAlchemyError):
            caller(now=current.utcnow())
    return known_caller() is not None


def _log_refusal(refused: Forbidden, envelope: Envelope) -> None:
    """Record the refusal if the token is valid; it was not read before, since the policy is checked first."""
    actor = known_caller() if _is_known() else None
    if actor is not None:
        record_refusal_of_request(refused, actor=actor, surface=envelope.surface, route="write_policy")
