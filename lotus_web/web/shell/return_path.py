"""Where a person may be sent back to: a path of this site and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from flask.globals import request_ctx

from lotus_web.http.path_ids import sent_path
from lotus_web.web.shell.htmx import current_page, is_htmx

HOME = "/"
PATH_MAX = 2000
NOWHERE = frozenset({"/login", "/logout"})


def safe_path(text: str | None) -> str | None:
    """Return ``text`` if a browser can only read it as path and query of this site, else None.

    Browsers take ``\\`` for ``/``, drop tabs and newlines, and read ``//host`` as another site.
    """
    if not text or len(text) > PATH_MAX or not text.startswith("/"):
        return None
    if any(letter <= " " or letter == "\x7f" for letter in text):
        return None
    # Not urlsplit: it reads "///host" as the path "/host", which no browser does.
    path = text.partition("?")[0].partition("#")[0]
    if "\\" in path or "//" in path or path in NOWHERE or not {".", ".."}.isdisjoint(path.split("/")):
        return None
    return text


def same_origin() -> bool:
    """Return whether the request was sent by a page of this site, as far as the browser tells; scripts tell nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def target() -> str:
    """Return path and query of this request as a link to it would have them, encoded slashes of ids encoded."""
    query = request.query_string.decode("latin-1")
    return f"{sent_path()}?{query}" if query else sent_path()


def here() -> str:
    """Return the page that the person looks at."""
    return safe_path(current_page() if is_htmx() else target()) or HOME


def page_of_form() -> str:
    """Return the page that contained a posted form: the form says so in ``page``, or htmx, or the Referer, or the URL."""
    referrer = urlsplit(request.referrer or "")
    came_from = f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path
    return (
        safe_path(request.form.get("page"))
        or safe_path(current_page() if is_htmx() else None)
        or safe_path(came_from if referrer.netloc == request.host else None)
        or (safe_path(target()) if _can_be_looked_at() else None)
        or HOME
    )


def _can_be_looked_at() -> bool:
    adapter = request_ctx.url_adapter
    return adapter is not None and adapter.test(request.path, method="GET")
