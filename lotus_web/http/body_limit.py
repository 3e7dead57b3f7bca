"""How large a body may be, for JSON and forms alike (ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES, delta 21); read for each request."""

from __future__ import annotations

from flask import Flask, request

from lotus_web.config import current

MIB = 1024 * 1024


def longest_body() -> int:
    """Return the largest allowed body in bytes, from the settings in force."""
    return current.settings().max_write_payload_bytes


def in_words() -> str:
    """Return the limit for a message, in MiB where it is a whole number of them."""
    longest = longest_body()
    return f"{longest // MIB} MiB" if longest % MIB == 0 else f"{longest:,} bytes"


def init_app(app: Flask) -> None:
    """Limit the body of each request before anything reads it."""
    app.before_request(_bound)


def _bound() -> None:
    request.max_content_length = request.max_form_memory_size = longest_body()
