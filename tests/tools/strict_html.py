"""A test client that refuses malformed HTML: every text/html answer must parse without one error."""

from __future__ import annotations

import contextvars
import hashlib
import re
from typing import Any

import html5lib
from flask.testing import FlaskClient
from html5lib.html5parser import ParseError
from werkzeug.test import TestResponse

from tests.tools.html_outline import Outline, Unbalanced

_DOCUMENT = re.compile(rb"\s*<!doctype html", re.IGNORECASE)
_FIRST_TAG = re.compile(rb"\s*(?:<!--.*?-->\s*)*<([a-z0-9]+)", re.IGNORECASE | re.DOTALL)
_PARENTS = {"tr": "tbody", "td": "tr", "th": "tr", "tbody": "table", "thead": "table", "option": "select"}


class MalformedHtml(AssertionError):
    """A page or fragment that a browser would have to mend."""


_well_formed: set[bytes] = set()
_outline = Outline()


def check_html(text: bytes) -> None:
    """Raise ``MalformedHtml`` with the place of the first error; a text without doctype is parsed as a fragment.

    Elements that were found well-formed in the same place before are not parsed again.
    """
    try:
        rest, found = _outline.of(text, _parent(text))
    except Unbalanced:
        rest, found = text, set()
    known = hashlib.sha256(rest).digest()
    if known not in _well_formed:
        try:
            _parse(rest, _parent(text))
        except MalformedHtml:
            _parse(text, _parent(text))
            raise
        _well_formed.add(known)
        _outline.known |= found


def _parent(text: bytes) -> str:
    """Return the element that a fragment is parsed in; an empty text for a whole document."""
    if _DOCUMENT.match(text):
        return ""
    first = _FIRST_TAG.match(text)
    return _PARENTS.get(first.group(1).decode().lower() if first else "", "div")


def _parse(text: bytes, parent: str) -> None:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    try:
        if parent:
            parser.parseFragment(text, container=parent, transport_encoding="utf-8")
        else:
            parser.parse(text, transport_encoding="utf-8")
    except ParseError as problem:
        line, column = parser.errors[-1][0] if parser.errors else (0, 0)
        around = text.decode("utf-8", "replace").splitlines()[max(line - 2, 0) : line + 1]
        raise MalformedHtml(f"line {line}, column {column}: {problem}\n" + "\n".join(around)) from problem


class StrictHtmlClient(FlaskClient):
    """Flask's client; each request stands alone, even where a test holds an app context open around it."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send the request in an empty context, so that ``g`` and the session never leak from one request to the next."""
        if self.preserve_context:
            response = super().open(*args, **kwargs)
        else:
            response = contextvars.Context().run(super().open, *args, **kwargs)
        if response.mimetype == "text/html":
            check_html(response.get_data())
        return response
