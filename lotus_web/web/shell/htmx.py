"""The same route answers with a page or with the fragment that the page includes (ADR 0008)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, make_response, redirect, render_template, request

# Sent by areas that refresh themselves (data-live), so that a screen left open does not keep its session awake.
LIVE = "X-Lotus-Live"


def is_htmx() -> bool:
    """Return whether a script asked for something to put into the page that is open."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def is_live() -> bool:
    """Return whether nobody pressed anything: the page refreshes itself."""
    return LIVE in request.headers


def current_page() -> str | None:
    """Return path and query of the page that htmx runs in; None outside of htmx."""
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    if not parts.path:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def is_htmx_navigation() -> bool:
    """Return whether htmx loads another address, after a link or a redirect, as opposed to refreshing an area."""
    return is_htmx() and not is_live() and request.method == "GET" and "HX-Target" in request.headers


def page_or_fragment(page: str, fragment: str, status: int = 200, *, within: bool = False, **context: Any) -> Response:
    """Render ``fragment`` for htmx and ``page``, which includes it, for everyone else.

    The fragment brings the title of its page along, for the window and its history; not one that is shown ``within`` another.
    """
    if not is_htmx():
        text = render_template(page, **context)
    elif within:
        text = render_template(fragment, **context)
    else:
        text = _title(page, context) + render_template(fragment, **context)
    response = make_response(text, status)
    response.vary.add("HX-Request")
    return response


def _title(page: str, context: dict[str, Any]) -> str:
    """Render the title of a page alone, from the block that says it."""
    template = current_app.jinja_env.get_template(page)
    said = "".join(template.blocks["title"](template.new_context(context)))
    return title_element(said)


def title_element(said: str) -> str:
    """Return what names a page in its window, as layouts/_document.html does; htmx takes it out of a fragment.

    ``said`` is text that is HTML already.
    """
    return f"<title>{said} · Lotus</title>\n"


def see_other(url: str) -> Response:
    """Return 303: the POST is done, look at ``url``. htmx follows it and asks there for the fragment."""
    response = make_response(redirect(url, code=303))
    response.vary.add("HX-Request")
    return response


def go_to(url: str) -> Response:
    """Leave the page altogether: 303 for a form, ``HX-Redirect`` for htmx."""
    if not is_htmx():
        return see_other(url)
    return Response(status=204, headers={"HX-Redirect": url})


def replace_page(response: Response) -> Response:
    """Make htmx put a whole page in place of the open one, wherever the request came from in it."""
    response.vary.add("HX-Request")
    if is_htmx():
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML show:window:top"
        response.headers["HX-Reselect"] = "unset"
        response.headers["HX-Push-Url"] = "false"
    return response
