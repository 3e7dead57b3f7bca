"""One token: its text, once, after it was made; and the step before it is revoked."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web import current
from lotus_web.db import db, transaction
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import NotFound
from lotus_web.queries.tokens import TokenRow, list_tokens
from lotus_web.services.handovers import is_waiting, take
from lotus_web.web.access import current_actor, requires

blueprint = Blueprint("admin_token", __name__)


@blueprint.get("/admin/tokens/<ident:token_id>")
@requires(Permission.ADMIN)
def show(token_id: str) -> ResponseReturnValue:
    """Show a token, and its text to the session that made it, the first time it looks; raises NotFound."""
    token = token_here(token_id)
    secret = _text_once(token_id)
    response = _page("admin/token.html", token, secret=secret)
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/admin/tokens/<ident:token_id>/revoke")
@requires(Permission.ADMIN)
def ask_to_revoke(token_id: str) -> ResponseReturnValue:
    """Ask whether to end a token; raises NotFound."""
    return _page("admin/token_revoke.html", token_here(token_id))


def token_here(token_id: str) -> TokenRow:
    """Return a token that opens the tenant; raises NotFound."""
    tokens = list_tokens(db.session(), tenant_id=current_actor().tenant_id)
    found = next((token for token in tokens if token.token_id == token_id), None)
    if found is None:
        raise NotFound("TOKEN_NOT_FOUND", "There is no such token.")
    return found


def _text_once(token_id: str) -> str | None:
    """Take the text out of the store: the one look that writes, and only where something waits for a person to see it."""
    wanted = {"session_id": current_user.session_id, "about": token_id}
    if request.method != "GET" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return None
    if not is_waiting(db.session(), **wanted):
        return None
    with transaction() as session:
        return take(session, **wanted)


def _page(template: str, token: TokenRow, **context: str | None) -> Response:
    return make_response(render_template(template, token=token, now=current.utcnow(), **context))
