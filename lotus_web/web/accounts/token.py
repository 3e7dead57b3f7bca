"""One token: its page, its text right after it was issued, and the confirmation before it is revoked."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import NotFound
from lotus_web.queries.accounts.tokens import TokenRow, token_of_tenant
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires

blueprint = Blueprint("accounts_token", __name__)


@blueprint.get("/admin/tokens/<ident:token_id>")
@requires(Permission.ADMIN)
def show(token_id: str) -> ResponseReturnValue:
    """Show a token without its text, which was shown when it was issued. Raises NotFound."""
    return token_page(token_id)


@blueprint.get("/admin/tokens/<ident:token_id>/revoke")
@requires(Permission.ADMIN)
def ask_to_revoke(token_id: str) -> ResponseReturnValue:
    """Ask for confirmation before a token is revoked; raises NotFound."""
    return _page("accounts/token_revoke.html", token_here(token_id))


def token_here(token_id: str) -> TokenRow:
    """Return a token of the tenant; raises NotFound."""
    found = token_of_tenant(db.session(), current_actor().tenant_id, token_id)
    if found is None:
        raise NotFound("TOKEN_NOT_FOUND", "There is no such token.")
    return found


def token_page(token_id: str, *, secret: str | None = None) -> Response:
    """Render a token's page, with its text if it was issued just now; raises NotFound."""
    response = _page("accounts/token.html", token_here(token_id), secret=secret)
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _page(template: str, token: TokenRow, **context: str | None) -> Response:
    return make_response(render_template(template, token=token, now=current.utcnow(), **context))
