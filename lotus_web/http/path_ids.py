"""Ids in paths may hold any character: ``/``, ``:``, spaces and emoji arrive percent-encoded and are decoded here (delta 13).

WSGI hands over a decoded path, in which an encoded slash looks like a separator. The middleware reads the path as it was
sent and puts a control character, which no id holds, in place of the slash; the converter turns it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from flask import Flask, request
from werkzeug.routing import BaseConverter

from lotus_web.domain.identifiers import is_storable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SLASH = "\x1f"
# Browsers resolve "." and ".." even when they are encoded, so such an id is prefixed with this character.
DOT_GUARD = "\x1e"
# An id that is never found, since the check of ids treats it as blank.
UNKNOWN_ID = SLASH
MAX_PATH_ID = 1_000


class IdentConverter(BaseConverter):
    """``<ident:name>``: one path segment that may hold any character, encoded slashes included."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """Return the id in a segment; UNKNOWN_ID, which is never found, for one that is too long or cannot be stored."""
        ident = value.replace(SLASH, "/").removeprefix(DOT_GUARD)
        return ident if len(ident) <= MAX_PATH_ID and is_storable(ident) else UNKNOWN_ID

    def to_url(self, value: object) -> str:
        """Return an id as a path segment, with everything but letters, digits and ``_.-~`` encoded."""
        text = str(value)
        return quote(DOT_GUARD + text if text in {".", ".."} else text, safe="")


class EncodedSlashes:
    """WSGI middleware that keeps an encoded slash inside its segment."""

    def __init__(self, wsgi_app: WSGIApplication):
        self.wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Rewrite ``PATH_INFO`` where the path as sent holds an encoded slash."""
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        if "%2F" in raw or "%2f" in raw:
            environ["PATH_INFO"] = path_info(raw, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", ""))
        return self.wsgi_app(environ, start_response)


def path_info(raw_uri: str, script_name: str, decoded: str) -> str:
    """Return the WSGI path of a request with encoded slashes as control characters.

    Where the URI as sent does not belong to the decoded path (something in between rewrote it), that is returned as it is.
    """
    raw = raw_uri.partition("?")[0]
    if not raw.startswith("/"):  # the absolute form that proxies are sent: http://host/path
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    raw = raw.removeprefix(quote(script_name.encode("latin-1")))
    if _wsgi(raw) != decoded:
        return decoded
    return "/".join(_wsgi(segment).replace("/", SLASH) for segment in raw.split("/"))


def _wsgi(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1", "replace")).decode("latin-1")


def sent_path() -> str:
    """Return the path of the current request as a client writes it: one leading slash, slashes within ids encoded."""
    path = f"{request.script_root}/{request.path.lstrip('/')}"
    return quote(path).replace(quote(SLASH), "%2F")


def init_app(app: Flask) -> None:
    """Make ``<ident:…>`` available in the routes of ``app``."""
    app.url_map.converters["ident"] = IdentConverter
    app.wsgi_app = EncodedSlashes(app.wsgi_app)  # type: ignore[method-assign]
