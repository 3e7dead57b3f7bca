"""What a write to the JSON paths must pass before it is even routed: its size, then the enterprise policy (dpm-api §1.3)."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from lotus_web import current
from lotus_web.api.json_body import check_size
from lotus_web.api.routing import mounted_envelope, refusal_of
from lotus_web.domain.enterprise import WRITES, check_write
from lotus_web.domain.errors import Forbidden
from lotus_web.request_ids import sent_header


def init_app(app: Flask) -> None:
    """Look at every write under a JSON prefix, whether or not a route answers there."""
    app.before_request(refuse_write)


def refuse_write() -> Response | None:
    """Answer 413 or 403 to a write that may not go on; None for every other request. The pages' forms are not looked at."""
    envelope = mounted_envelope()
    if envelope is None or request.method not in WRITES:
        return None
    settings = current.settings()
    try:
        check_size()
        if settings.enforce_authz:
            check_write(settings.capability_rules, method=request.method, path=request.path, sent=sent_header)
    except (RequestEntityTooLarge, Forbidden) as refused:
        return refusal_of(refused, envelope).response()
    return None
