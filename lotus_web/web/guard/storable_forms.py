"""What a form brings can be stored: one look at every value, before any view reads it."""

from __future__ import annotations

from flask import Flask, Response, request

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import is_storable
from lotus_web.web.guard.access import is_json_blueprint
from lotus_web.web.guard.errors import error_page
from lotus_web.web.guard.refusal_log import log_request_refusal
from lotus_web.web.guard.resend import can_be_sent_again, resubmit_page
from lotus_web.web.guard.sign_in_page import sign_in_again

SIGN_IN = "sign_in.sign_in"
TITLE = "This holds characters that cannot be stored"
LEFT_OUT = "They cannot be seen either, and are left out below. Nothing was recorded."
SENTENCE = "What was sent holds characters that cannot be stored. Nothing was recorded."


def refuse_unstorable() -> Response | None:
    """Give a form back without the characters that no store takes (422); None for every other request."""
    if request.method != "POST" or request.endpoint is None or is_json_blueprint(request.blueprint):
        return None
    if all(is_storable(name) and is_storable(value) for name, value in request.form.items(multi=True)):
        return None
    log_request_refusal(InvalidInput("invalid_argument", SENTENCE))
    if request.endpoint == SIGN_IN:
        return sign_in_again(422, f"{TITLE}. Enter it again.")
    if not can_be_sent_again():
        return error_page(422, SENTENCE)
    return resubmit_page(422, title=TITLE, reason=LEFT_OUT)


def init_app(app: Flask) -> None:
    """Look at the form of every request that the guard lets pass."""
    app.before_request(refuse_unstorable)
