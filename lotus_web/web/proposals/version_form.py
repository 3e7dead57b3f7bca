"""The form of a new version: the trades and cash flows of the current one, on the newest portfolio and prices."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.proposals.rules import check_new_version
from lotus_web.queries.proposals.basis import Basis, newest_basis
from lotus_web.queries.proposals.view import ProposalView, proposal_view
from lotus_web.services.proposals.versions import create_version
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.proposals.form import answered, opened, typed_on_basis
from lotus_web.web.proposals.form_page import form_page, new_key, refused_page
from lotus_web.web.proposals.typed import Typed
from lotus_web.wire.proposals.lifecycle import ProposalVersionBody

blueprint = Blueprint("proposals_version", __name__)


@blueprint.get("/proposals/<ident:proposal_id>/versions/new")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def start(proposal_id: str) -> ResponseReturnValue:
    """Show the form with the current version's trades; raises InvalidInput for a proposal that has ended."""
    found = open_proposal(proposal_id)
    kept = Typed.of(draft_for(url_for("proposals_version.send", proposal_id=proposal_id)))
    basis = newest_basis(db.session(), current_actor().tenant_id, found.proposal.portfolio_id, proposal_id=proposal_id)
    if kept.basis:
        return form_page(kept, basis, proposal=found.proposal)
    reference = basis.reference if basis else ""
    typed = Typed.of_inputs(
        found.current.inputs or {}, key=new_key(), basis=reference, version=found.standing.version_no
    )
    return form_page(typed, basis, proposal=found.proposal)


@blueprint.post("/proposals/<ident:proposal_id>/versions/new")
@recorded_as("create_proposal_version")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def send(proposal_id: str) -> ResponseReturnValue:
    """Add or remove a row, simulate, or create the version, as the pressed button says."""
    found = open_proposal(proposal_id)
    typed, basis = typed_on_basis()
    again = answered(typed, basis, proposal=found.proposal)
    if again is not None or basis is None:
        return again or form_page(typed, None, proposal=found.proposal)
    return _created(typed, basis, found)


def open_proposal(proposal_id: str) -> ProposalView:
    """Return a proposal that may have a new version; raises NotFound, and InvalidInput for one that has ended."""
    found = proposal_view(db.session(), current_actor().tenant_id, proposal_id)
    check_new_version(found.standing, current.policy().proposals)
    return found


def _created(typed: Typed, basis: Basis, found: ProposalView) -> ResponseReturnValue:
    context = form_context()
    body = ProposalVersionBody.model_validate(
        {
            "created_by": context.actor.decider_id,
            "simulate_request": typed.request(basis),
            "expected_version_no": int(typed.version[:9])
            if typed.version.isascii() and typed.version.isdigit()
            else None,
        }
    )
    try:
        with logging_refusals():
            made = create_version(found.proposal.proposal_id, body, idempotency_key=typed.key or None, context=context)
    except (Conflict, InvalidInput) as refused:
        return refused_page(refused, typed, basis, proposal=found.proposal)
    return opened(made)
