"""Characters that cannot be stored or shown: refused in forms before any view reads them, and left out of pages."""

from __future__ import annotations

import re

from flask import Flask, Response, request

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import is_storable
from lotus_web.web.guard.access import is_json_blueprint
from lotus_web.web.guard.errors import error_page
from lotus_web.web.guard.refusal_log import log_request_refusal
from lotus_web.web.guard.resend import can_be_sent_again, resubmit_page
from lotus_web.web.guard.sign_in_page import sign_in_again

# A form without a session to keep what was typed in.
SIGN_IN = ("sign_in.sign_in", "by_passkey.sign_in", "by_passkey.second")
TITLE = "This contains characters that cannot be stored"
LEFT_OUT = "They are invisible and have been removed below. Nothing was recorded."
SENTENCE = "What was sent contains characters that cannot be stored. Nothing was recorded."
# Control characters other than tab and line ends, and code points that are no characters; as UTF-8.
FORBIDDEN = re.compile(
    rb"[\x00-\x08\x0b\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xef\xb7[\x90-\xaf]|\xef\xbf[\xbe\xbf]"
    rb"|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]"
)


def refuse_unstorable() -> Response | None:
    """Give a form back without the characters that no store takes (422); None for every other request."""
    if request.method != "POST" or request.endpoint is None or is_json_blueprint(request.blueprint):
        return None
    if all(is_storable(name) and is_storable(value) for name, value in request.form.items(multi=True)):
        return None
    log_request_refusal(InvalidInput("invalid_argument", SENTENCE))
    if request.endpoint in SIGN_IN:
        return sign_in_again(422, f"{TITLE}. Enter it again.")
    if not can_be_sent_again():
        return error_page(422, SENTENCE)
    return resubmit_page(422, title=TITLE, reason=LEFT_OUT)


def leave_out_forbidden(response: Response) -> Response:
    """Return an HTML response without characters that HTML forbids, wherever they came from; others unchanged."""
    if response.mimetype == "text/html" and not response.is_streamed:
        text = response.get_data()
        if FORBIDDEN.search(text):
            response.set_data(FORBIDDEN.sub(b"", text))
    return response


def init_app(app: Flask) -> None:
    """Check the form of every request that the guard lets pass, and every page."""
    app.before_request(refuse_unstorable)
    app.after_request(leave_out_forbidden)
