"""The form of a small proposal: choose a portfolio, type trades and cash flows, see what comes of them, then create it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.queries.proposals.basis import Basis, named_basis, newest_basis, recent_portfolios
from lotus_web.queries.proposals.lookup import key_of_create
from lotus_web.queries.proposals.rows import ProposalSummary
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Recorded
from lotus_web.services.proposals.preview import preview
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.proposals.form_page import form_page, new_key, refused_page
from lotus_web.web.proposals.problems import Problem, Problems, blanks, of_form
from lotus_web.web.proposals.typed import Typed
from lotus_web.web.shell.htmx import go_to, page_or_fragment
from lotus_web.web.shell.query_args import text_arg
from lotus_web.wire.proposals.lifecycle import CreateProposalBody
from lotus_web.wire.proposals.request import SimulateRequestBody

blueprint = Blueprint("proposals_form", __name__)
# How many of the newest runs and proposals the portfolios are taken from that the first field offers.
OFFERED = 200
SIMULATE, CREATE = "simulate", "create"
NO_BASIS = "Nothing is stored of this portfolio: choose another, or send the whole request as JSON."


@blueprint.get("/proposals/new")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
@redisplay_invalid_filters
def start() -> ResponseReturnValue:
    """Ask for a portfolio, or show the form for the one that was chosen; raises InvalidInput for one that is unknown."""
    session, tenant_id = db.session(), current_actor().tenant_id
    kept = Typed.of(draft_for(url_for("proposals_form.send")))
    portfolio_id = text_arg("portfolio_id")
    basis = named_basis(session, tenant_id, kept.basis) if kept.basis and not portfolio_id else None
    if basis is not None:
        return form_page(kept, basis)
    if portfolio_id is None:
        return page_or_fragment(
            "proposals/choose.html",
            "proposals/_choose.html",
            portfolios=recent_portfolios(session, tenant_id, limit=OFFERED),
        )
    basis = newest_basis(session, tenant_id, portfolio_id)
    if basis is None:
        raise InvalidInput("PORTFOLIO_UNKNOWN", NO_BASIS, loc=("query", "portfolio_id"))
    return form_page(Typed(key=new_key(), basis=basis.reference), basis)


@blueprint.post("/proposals/new")
@recorded_as("create_proposal")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def send() -> ResponseReturnValue:
    """Add or remove a row, simulate, or create the proposal, as the pressed button says."""
    typed, basis = typed_on_basis()
    again = answered(typed, basis)
    if again is not None or basis is None:
        return again or form_page(typed, None)
    return created(typed, basis)


def typed_on_basis() -> tuple[Typed, Basis | None]:
    """Return the form and what it is computed from: the stored request that it names, or another portfolio's newest."""
    typed, session, tenant_id = Typed.of(request.form), db.session(), current_actor().tenant_id
    basis = named_basis(session, tenant_id, typed.basis)
    if basis is None and request.form.get("portfolio_id"):
        basis = newest_basis(session, tenant_id, request.form["portfolio_id"].strip())
    return typed, basis


def answered(typed: Typed, basis: Basis | None, *, proposal: ProposalSummary | None = None) -> Response | None:
    """Return the form again where nothing is to be created yet, or cannot be; None where everything is in order."""
    command = request.form.get("do", SIMULATE)
    if basis is None:
        return form_page(typed, None, proposal=proposal, status=422, problems=Problems((Problem(None, NO_BASIS),)))
    if command not in (SIMULATE, CREATE):
        return form_page(typed.changed(command), basis, proposal=proposal, changed=command)
    body, problems = checked(typed, basis)
    if body is None:
        return form_page(typed, basis, proposal=proposal, status=422, problems=problems)
    return None if command == CREATE else form_page(typed, basis, proposal=proposal, outcome=preview(body))


def created(typed: Typed, basis: Basis) -> ResponseReturnValue:
    """Create the proposal and open it, or show the form with what refused it."""
    context = form_context()
    asked = {
        "created_by": context.actor.decider_id,
        "simulate_request": typed.request(basis),
        "metadata": typed.metadata(),
    }
    try:
        body = CreateProposalBody.model_validate(asked)
        with logging_refusals():
            made = create_proposal(body, idempotency_key=typed.key, context=context)
    except ValidationError as wrong:
        return form_page(typed, basis, status=422, problems=of_form(wrong, typed))
    except (Conflict, InvalidInput) as refused:
        return refused_page(refused, typed, basis, made_before=made_with(typed.key))
    return opened(made)


def made_with(key: str) -> str | None:
    """Return the proposal that an earlier sending of the form made, None where none did."""
    try:
        return key_of_create(db.session(), current_actor().tenant_id, key).proposal_id
    except NotFound:
        return None


def opened(made: Recorded) -> ResponseReturnValue:
    """Go to the proposal that was made, or had been made by an earlier sending of the same form."""
    if made.replayed:
        flash("This form had been sent before. Nothing was made twice.", "info")
    elif made.version_no == 1:
        flash("The proposal was created. It is a draft until it is submitted.", "success")
    else:
        flash(f"Version {made.version_no} was made. The proposal is a draft again.", "success")
    return go_to(url_for("proposal.show", proposal_id=made.proposal_id))


@blueprint.post("/proposals/check")
@recorded_as("simulate_proposal")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def check() -> ResponseReturnValue:
    """Say what is wrong with the form as it stands, or what it would come to; writes nothing."""
    typed = Typed.of(request.form)
    basis = named_basis(db.session(), current_actor().tenant_id, typed.basis)
    body, problems = (None, Problems()) if basis is None else checked(typed, basis)
    return page_or_fragment(
        "proposals/check.html",
        "proposals/_check.html",
        within=True,
        problems=problems,
        outcome=preview(body) if body is not None else None,
    )


def checked(typed: Typed, basis: Basis) -> tuple[SimulateRequestBody | None, Problems]:
    """Return the request that the form makes, or all that is wrong with it."""
    missing = blanks(typed)
    try:
        body = SimulateRequestBody.model_validate(typed.request(basis))
    except ValidationError as wrong:
        return None, missing.with_others(of_form(wrong, typed))
    return (None, missing) if missing else (body, Problems())
