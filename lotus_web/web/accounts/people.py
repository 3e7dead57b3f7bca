"""The people of the tenant and their roles; the service that makes a change also adds its line to the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import Permission, Role, permissions_of
from lotus_web.domain.accounts.credentials import PASSWORD_MIN
from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.domain.sentences import Sentence
from lotus_web.queries.accounts.people import PersonRow, list_people, person_of_tenant
from lotus_web.queries.items.holders import open_items_held
from lotus_web.services.accounts import administration
from lotus_web.services.sign_in.passkeys import passkeys_of
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction
from lotus_web.web.accounts.forms import FormProblem, role_of, shown
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.shell.htmx import page_or_fragment, see_other

blueprint = Blueprint("accounts", __name__)

Change = Callable[..., None]


@blueprint.get("/admin")
@requires(Permission.ADMIN)
def show() -> ResponseReturnValue:
    """List the people of the tenant, with a form for a new one."""
    return render_people(draft_for(url_for("accounts.add")).to_dict())


@blueprint.post("/admin")
@recorded_as("create_person")
@requires(Permission.ADMIN)
def add() -> ResponseReturnValue:
    """Create a person with a first role in this tenant."""
    name = request.form.get("name", "").strip()
    try:
        with logging_refusals():
            change(
                administration.add_person,
                name=name,
                password=hashed(request.form.get("password", "")),
                role=role_of(request.form.get("role", "")),
                display_name=request.form.get("display_name", "").strip() or None,
            )
    except (InvalidInput, Conflict) as refused:
        return render_people(request.form.to_dict(), FormProblem.of(refused, field="name"))
    flash(f"{name} may sign in now.", "success")
    return see_other(url_for("accounts.person", name=name))


@blueprint.get("/admin/people/<ident:name>")
@requires(Permission.ADMIN)
def person(name: str) -> ResponseReturnValue:
    """Show a person and the forms that change them; raises NotFound."""
    return render_person(name)


@blueprint.post("/admin/people/<ident:name>")
@recorded_as("change_person")
@requires(Permission.ADMIN)
def alter(name: str) -> ResponseReturnValue:
    """Make the change that the pressed button names; raises NotFound."""
    try:
        with logging_refusals():
            done = altered(name, request.form.get("change", ""))
    except (InvalidInput, Conflict) as refused:
        return render_person(name, FormProblem.of(refused, field="password"))
    flash(done, "success")
    return see_other(url_for("accounts.person", name=name))


def altered(name: str, what: str) -> str:
    """Make one change of a person and return a sentence that says so; raises what the service raises."""
    match what:
        case "grant":
            role = role_of(request.form.get("role", ""))
            change(administration.grant_role, name=name, role=role)
            return f"{name} is {role.value} now."
        case "withdraw":
            role = role_of(request.form.get("held", ""))
            change(administration.revoke_role, name=name, role=role)
            return f"{name} is no longer {role.value}."
        case "disable":
            change(administration.disable_person, name=name)
            return f"{name} was signed out and may no longer sign in."
        case "enable":
            change(administration.enable_person, name=name)
            return f"{name} may sign in again."
        case "password":
            change(administration.reset_password, name=name, password=hashed(request.form.get("password", "")))
            return f"{name} has another password and was signed out."
        case "passkeys":
            change(administration.reset_passkeys, name=name)
            return f"{name} has no passkey any more and was signed out."
    raise InvalidInput("invalid_argument", "Choose what to change.", loc=("body", "change"))


def change(service: Change, **asked: Any) -> None:
    """Call a function of ``services.accounts.administration`` in a transaction of its own."""
    with transaction() as session:
        service(session, **asked, actor=current_actor(), now=current.utcnow())


def render_people(typed: dict[str, str], problem: FormProblem | None = None) -> Response:
    """Render the list with its form."""
    return page_or_fragment(
        "accounts/people.html",
        "accounts/_people.html",
        problem.status if problem else 200,
        people=list_people(db.session(), tenant_id=current_actor().tenant_id),
        typed=shown(typed),
        problem=problem,
        roles=[role.value for role in Role],
        password_min=PASSWORD_MIN,
        now=current.utcnow(),
    )


def render_person(name: str, problem: FormProblem | None = None) -> Response:
    """Render one person; raises NotFound, also for a person of another tenant."""
    found = person_here(db.session(), name)
    held = found.roles.get(current_actor().tenant_id, frozenset())
    return page_or_fragment(
        "accounts/person.html",
        "accounts/_person.html",
        problem.status if problem else 200,
        person=found,
        held=[role.value for role in Role if role in held],
        others=[role.value for role in Role if role not in held],
        permissions=sorted(permission.value for permission in permissions_of(held)),
        holding=open_items_held(db.session(), current_actor().tenant_id, name),
        passkeys=passkeys_of(db.session(), name),
        problem=problem,
        password_min=PASSWORD_MIN,
        me=current_actor().decider_id,
        now=current.utcnow(),
    )


def person_here(session: Session, name: str) -> PersonRow:
    """Return a person with a role in the tenant; raises NotFound."""
    found = person_of_tenant(session, current_actor().tenant_id, name)
    if found is None:
        raise NotFound("PERSON_NOT_FOUND", Sentence("There is no person named {name} here.", name=name))
    return found
