"""The correlation, request and trace id of a request, sent with every response, errors included (dpm-api §1.4, delta 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Flask, Response, g, request

from lotus_web.config import current
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import CORRELATION_MAX, check_correlation_id
from lotus_web.store.new_ids import new_id

PARENT_SPAN = "0000000000000001"
TRACE_ID = re.compile(r"[0-9a-f]{32}")
CORRELATION_HEADER = "X-Correlation-Id"


@dataclass(slots=True)
class RequestIds:
    """The ids of a request; ``refused`` is the error in the correlation id that was sent, if there is one."""

    correlation_id: str
    request_id: str
    trace_id: str
    refused: InvalidInput | None = None


def sent_header(name: str) -> str | None:
    """Return a request header, decoded as UTF-8 where it is valid UTF-8; None when absent or empty."""
    raw = request.headers.get(name)
    if not raw:
        return None
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def header_text(value: str) -> str:
    """Return a text as WSGI expects it in a header: its UTF-8 bytes, each as one character."""
    return value.encode("utf-8", "replace").decode("latin-1")


def read_ids() -> RequestIds:
    """Return the ids that the caller sent, and new ones for the rest."""
    correlation_id, refused = sent_header(CORRELATION_HEADER), None
    if correlation_id is not None:
        try:
            check_correlation_id(correlation_id)
        except InvalidInput as error:
            correlation_id, refused = None, error
    return RequestIds(
        correlation_id=correlation_id or new_id("corr_", 12),
        request_id=_sent_request_id() or new_id("req_", 12),
        trace_id=_sent_trace_id() or new_id("", 32),
        refused=refused,
    )


def _sent_request_id() -> str | None:
    sent = sent_header("X-Request-Id")
    shown = sent is not None and len(sent) <= CORRELATION_MAX and sent.isprintable() and sent == sent.strip()
    return sent if shown else None


def _sent_trace_id() -> str | None:
    parts = request.headers.get("traceparent", "").lower().split("-")
    trace_id = parts[1] if len(parts) > 1 else ""
    return trace_id if TRACE_ID.fullmatch(trace_id) and trace_id.strip("0") else None


def current_ids() -> RequestIds:
    """Return the ids of the current request; assigning ``correlation_id`` changes the header of its response."""
    ids: RequestIds | None = g.get("request_ids")
    if ids is None:
        ids = g.request_ids = read_ids()
        g.correlation_id = ids.correlation_id
    return ids


def add_headers(response: Response) -> Response:
    """Add the ids to a response as headers."""
    ids = current_ids()
    response.headers[CORRELATION_HEADER] = header_text(ids.correlation_id)
    response.headers["X-Request-Id"] = header_text(ids.request_id)
    response.headers["X-Trace-Id"] = ids.trace_id
    response.headers["traceparent"] = f"00-{ids.trace_id}-{PARENT_SPAN}-01"
    response.headers["X-Enterprise-Policy-Version"] = header_text(current.settings().policy_version)
    return response


def init_app(app: Flask) -> None:
    """Read the ids of every request first, and add them to every response."""
    app.before_request(_read)
    app.after_request(add_headers)


def _read() -> None:
    current_ids()
