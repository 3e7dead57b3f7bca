"""Disabling a service account with all its tokens, and enabling it again."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.services.accounts.administration import disable_account, enable_account
from lotus_web.store.session import transaction
from lotus_web.web.accounts.forms import FormProblem
from lotus_web.web.accounts.tokens import render_tokens
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.shell.htmx import is_htmx, see_other

blueprint = Blueprint("accounts_service", __name__)
CHANGES = {
    "disable": (disable_account, "is disabled. Its tokens no longer work."),
    "enable": (enable_account, "is enabled. Its valid tokens work again."),
}


@blueprint.post("/admin/accounts/<ident:name>")
@recorded_as("change_account")
@requires(Permission.ADMIN)
def alter(name: str) -> ResponseReturnValue:
    """Disable or enable the account, as the pressed button says; raises NotFound."""
    try:
        with logging_refusals():
            done = altered(name, request.form.get("change", ""))
    except (InvalidInput, Conflict) as refused:
        return render_tokens(MultiDict(), problem=FormProblem.of(refused, field="account"))
    if is_htmx():
        return render_tokens(MultiDict(), done=done)
    flash(done, "success")
    return see_other(url_for("accounts_tokens.show"))


def altered(name: str, what: str) -> str:
    """Change the account and return a sentence that says so; raises what the service raises."""
    if what not in CHANGES:
        raise InvalidInput("invalid_argument", "Choose what to change.", loc=("body", "change"))
    service, words = CHANGES[what]
    with transaction() as session:
        service(session, name=name, actor=current_actor(), now=current.utcnow())
    return f"{name} {words}"
