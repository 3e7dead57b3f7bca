"""Moving between the tenants in which a person has a role."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web.services.sign_in.sessions import enter_tenant
from lotus_web.store.session import transaction
from lotus_web.web.guard.access import signed_in
from lotus_web.web.shell.htmx import see_other
from lotus_web.web.shell.return_path import HOME, safe_path

blueprint = Blueprint("tenant", __name__)


@blueprint.get("/tenant")
@signed_in
def choose() -> ResponseReturnValue:
    """Show the tenants in which the person has a role."""
    next_path = safe_path(request.args.get("next")) or HOME
    return make_response(render_template("sign_in/tenant.html", next_path=next_path))


@blueprint.post("/tenant")
@signed_in
def change() -> ResponseReturnValue:
    """Work in another tenant from now on."""
    tenant_id = request.form.get("tenant", "")
    with transaction() as store:
        enter_tenant(store, session_id=current_user.session_id, name=current_user.name, tenant_id=tenant_id)
    flash(f"You work in the tenant {tenant_id} now.", "success")
    return see_other(safe_path(request.form.get("next")) or HOME)
