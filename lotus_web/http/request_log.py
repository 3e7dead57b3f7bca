"""One line of the log for each request, with its ids, its status and how long it took."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from lotus_web.config.settings import Settings
from lotus_web.http.request_ids import current_ids
from lotus_web.telemetry.logs import LOG, configure_logging


def init_app(app: Flask, settings: Settings) -> None:
    """Log every request of ``app`` once, when its answer is ready."""
    configure_logging(settings)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    clear_contextvars()
    g.began = time.perf_counter()
    ids = current_ids()
    bind_contextvars(request_id=ids.request_id, correlation_id=ids.correlation_id)


def _end(response: Response) -> Response:
    facts: dict[str, Any] = {
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 2),
    }
    # The answer's id, which a replay takes from the stored run.
    LOG.info("request", **facts | {"correlation_id": current_ids().correlation_id})
    return response
