"""A form that was not accepted, returned with its fields, a fresh token and a button to send it again."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from lotus_web.web.guard.drafts import typed_fields
from lotus_web.web.guard.user import forget_person
from lotus_web.web.shell.htmx import replace_page
from lotus_web.web.shell.return_path import page_of_form, same_origin, target


def can_be_sent_again() -> bool:
    """Return whether this request was posted from a page of this site; other sites get no button."""
    return request.method == "POST" and same_origin()


def resubmit_page(status: int, *, title: str, reason: str) -> Response:
    """Render what was typed with a button that sends it to the same URL again."""
    forget_person()
    fields = typed_fields()
    text = render_template(
        "errors/resubmit.html",
        title=title,
        reason=reason,
        action=target(),
        fields=fields,
        typed=[(name.replace("_", " "), value) for name, value in fields if value],
        page=page_of_form(),
    )
    return replace_page(make_response(text, status))
