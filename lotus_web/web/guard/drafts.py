"""What a person had typed when their session ended, stored during the sign-in and shown again.

The sign-in page holds it in a signed field. The row of the new session then stores it until the form is sent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, current_app, g, request
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import MultiDict

from lotus_web.config import current
from lotus_web.http.path_ids import sent_path
from lotus_web.services.sign_in.sessions import drop_draft
from lotus_web.store.session import transaction
from lotus_web.web.guard.user import SignedInPerson, lost_name
from lotus_web.web.shell.return_path import same_origin

SALT = "lotus.draft"
# A signature and a recovery code count once, so that they would be of no use in a form that is sent again.
NEVER_SAVED = frozenset({"csrf_token", "page", "password", "draft", "sealed", "answer", "code", "half"})
# Well above what any form takes, well below the body limit, which the sign-in form must meet too.
LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a form that was not accepted, its path and, if known, the username."""

    path: str
    fields: list[list[str]]
    name: str | None


def init_app(app: Flask) -> None:
    """Drop a draft once its form was accepted, and give templates ``draft_for``."""
    app.after_request(forget_when_sent)
    app.jinja_env.globals["draft_for"] = draft_for


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT)


def typed_fields() -> list[list[str]]:
    """Return the posted fields in order, without secrets; none if another site sent them."""
    if request.method != "POST" or not same_origin():
        return []
    return [[name, value] for name, value in request.form.items(multi=True) if name not in NEVER_SAVED]


def sealed_draft() -> str | None:
    """Return the posted fields as signed text for the sign-in form; None if there is nothing to keep."""
    fields = typed_fields()
    if not fields or sum(len(value) for _, value in fields) > LONGEST:
        return None
    return str(_signer().dumps(asdict(Draft(unquote(sent_path()), fields, lost_name()))))


def opened_draft(sealed: str | None, *, name: str) -> dict[str, Any] | None:
    """Return the draft for the row of ``name``'s new session; None if it was changed, is too old, or another person's."""
    if not sealed:
        return None
    try:
        draft: dict[str, Any] = _signer().loads(sealed, max_age=current.settings().session_hours * 3600)
    except BadData:
        return None
    return None if draft["name"] not in (None, name) else draft


def draft_for(path: str) -> MultiDict[str, str]:
    """Return the fields last typed into the form that is sent to ``path``; empty if there are none.

    ``path`` is the form's action as ``url_for`` gives it.
    """
    draft = current_user.draft
    if draft is None or draft["path"] != unquote(urlsplit(path).path):
        return MultiDict()
    return MultiDict((name, value) for name, value in draft["fields"])


def forget_when_sent(response: Response) -> Response:
    """Drop the draft when its form was accepted; the response is sent even if the store fails."""
    person = g.get("_login_user")
    if request.method != "POST" or response.status_code >= 400 or not isinstance(person, SignedInPerson):
        return response
    if person.draft is not None and person.draft["path"] == unquote(sent_path()):
        with suppress(SQLAlchemyError), transaction(aside=True) as session:
            drop_draft(session, session_id=person.session_id)
    return response
