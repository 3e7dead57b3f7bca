"""Paths and methods that no JSON route has: 404, 405 with Allow, and 307 for a trailing slash (dpm-api §1.1)."""

from __future__ import annotations

from flask import Flask, Response, request
from flask.globals import request_ctx
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter, RequestRedirect

from lotus_web.api.endpoint.routing import mounted_envelope, refusal_of
from lotus_web.http.path_ids import sent_path


def init_app(app: Flask) -> None:
    """Answer for the JSON prefixes before the pages' error handlers see the request."""
    app.before_request(answer_unmatched)


def answer_unmatched() -> Response | None:
    """Answer a request under a JSON prefix that matched no route; None leaves it to others."""
    error = request.routing_exception
    if error is None:
        return None
    envelope = mounted_envelope()
    adapter = request_ctx.url_adapter
    if envelope is None or adapter is None:
        return None
    if request.path.endswith("/") and _exists(adapter, request.path.rstrip("/")):
        return _without_slash()
    return refusal_of(error, envelope).response()


def _exists(adapter: MapAdapter, path: str) -> bool:
    try:
        adapter.match(path_info=path)
    except MethodNotAllowed:
        return True
    except (NotFound, RequestRedirect):
        return False
    return True


def _without_slash() -> Response:
    query = request.query_string.decode("latin-1")
    path = sent_path().rstrip("/")
    return Response(status=307, headers={"Location": f"{path}?{query}" if query else path})
