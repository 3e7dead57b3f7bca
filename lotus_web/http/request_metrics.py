"""Counts each answered request for GET /metrics."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from lotus_web.telemetry.metrics import count_request

NO_ROUTE = "(none)"


def init_app(app: Flask) -> None:
    """Count every request of ``app``, with its time since ``g.began``."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else NO_ROUTE
    began = g.get("began")
    seconds = None if began is None else time.perf_counter() - began
    count_request(request.method, route, response.status_code, seconds)
    return response
