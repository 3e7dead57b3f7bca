"""Service accounts and their tokens: the lists, and the forms that create and revoke a token."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.queries.accounts.tokens import list_accounts, list_tokens
from lotus_web.services.accounts.administration import issue_token, revoke_token
from lotus_web.services.accounts.tokens import new_token_id
from lotus_web.store.session import db, transaction
from lotus_web.web.accounts.forms import LIFETIMES, OFFERED, FormProblem, expiry_from, permissions_from, shown
from lotus_web.web.accounts.token import token_page
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.shell.htmx import page_or_fragment, see_other

blueprint = Blueprint("accounts_tokens", __name__)


@blueprint.get("/admin/tokens")
@requires(Permission.ADMIN)
def show() -> ResponseReturnValue:
    """List the tokens of this tenant, with a form for a new one."""
    return render_tokens(draft_for(url_for("accounts_tokens.issue")))


@blueprint.post("/admin/tokens")
@recorded_as("create_token")
@requires(Permission.ADMIN)
def issue() -> ResponseReturnValue:
    """Create a token and show its text, this once; the id in the form keeps a reload from creating a second one."""
    actor, now, typed = current_actor(), current.utcnow(), request.form
    try:
        with logging_refusals(), transaction() as session:
            made = issue_token(
                session,
                account=typed.get("account", "").strip(),
                permissions=permissions_from(typed.getlist("permissions")),
                expires_at=expiry_from(typed.get("days", ""), now=now),
                actor=actor,
                now=now,
                token_id=typed.get("token_id", ""),
            )
    except (InvalidInput, Conflict) as refused:
        return render_tokens(typed, problem=FormProblem.of(refused, field="account"))
    return token_page(made.token_id, secret=made.secret_text)


@blueprint.post("/admin/tokens/<ident:token_id>/revoke")
@recorded_as("revoke_token")
@requires(Permission.ADMIN)
def revoke(token_id: str) -> ResponseReturnValue:
    """Revoke a token; raises NotFound."""
    try:
        with logging_refusals(), transaction() as session:
            revoke_token(session, token_id=token_id, actor=current_actor(), now=current.utcnow())
    except Conflict as refused:
        return render_tokens(MultiDict(), problem=FormProblem.of(refused, field="account"))
    flash(f"The token {token_id} is revoked.", "success")
    return see_other(url_for("accounts_tokens.show"))


def render_tokens(
    typed: MultiDict[str, str],
    *,
    problem: FormProblem | None = None,
    done: str | None = None,
) -> Response:
    """Render the lists with the form, and ``done``, the sentence about what was just done."""
    session, tenant_id, now = db.session(), current_actor().tenant_id, current.utcnow()
    return page_or_fragment(
        "accounts/tokens.html",
        "accounts/_tokens.html",
        problem.status if problem else 200,
        tokens=list_tokens(session, tenant_id=tenant_id),
        accounts=list_accounts(session, tenant_id=tenant_id, now=now),
        done=done,
        new_token_id=new_token_id(),
        typed=shown(typed.to_dict()),
        ticked=typed.getlist("permissions"),
        problem=problem,
        offered=[permission.value for permission in OFFERED],
        lifetimes=LIFETIMES,
        now=now,
    )
