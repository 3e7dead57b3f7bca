"""The sign-in form, on its own page or as the answer to a request that needs a session."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from lotus_web.http.refusal_log import LOOKING
from lotus_web.web.guard.user import forget_person
from lotus_web.web.shell.htmx import replace_page
from lotus_web.web.shell.return_path import HOME, safe_path, same_origin

Problem = tuple[str | None, str]
ELSEWHERE = {
    "title": "This form came from another site",
    "message": "It was rejected, and nothing was recorded.",
    "what_next": "Go to Lotus Web and do there what you meant to do.",
}


def sign_in_page(
    status: int = 200,
    *,
    next_path: str,
    name: str = "",
    draft: str | None = None,
    problems: tuple[Problem, ...] = (),
    session_lost: bool = False,
) -> Response:
    """Render the form with what was typed, never the password. A problem is a field's id, or None, and a sentence.

    A form of another site is answered with a link to it: that answer sets no cookie, without which the form could not be sent.
    """
    forget_person()
    if request.method not in LOOKING and not same_origin():
        return make_response(render_template("errors/error.html", status=status, **ELSEWHERE), status)
    text = render_template(
        "sign_in/sign_in.html",
        next_path=next_path,
        typed_name=name,
        draft=draft,
        problems=problems,
        field_problems={field: sentence for field, sentence in problems if field},
        session_lost=session_lost,
    )
    return replace_page(make_response(text, status))


def sign_in_again(status: int, *sentences: str, fields: tuple[Problem, ...] = ()) -> Response:
    """Render the posted form again with what is wrong with it."""
    return sign_in_page(
        status,
        next_path=safe_path(request.form.get("next")) or HOME,
        name=request.form.get("name", ""),
        draft=request.form.get("draft"),
        problems=(*fields, *((None, sentence) for sentence in sentences)),
    )
