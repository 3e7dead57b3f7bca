"""Taking a step with a proposal: submitting, approving, rejecting, consent, execution, cancelling."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.canonical import content_hash
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput
from lotus_web.domain.free_text import clean_text
from lotus_web.domain.proposals.rules import Expected
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.domain.proposals.steps import STEPS
from lotus_web.http.statuses import status_of
from lotus_web.services.decisions.approvals import take_step
from lotus_web.services.proposals.keys import Keyed
from lotus_web.services.proposals.steps import Asked
from lotus_web.store.session import transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import form_context, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.proposals.detail import TypedStep, proposal_page
from lotus_web.web.shell.htmx import see_other

blueprint = Blueprint("proposal_steps", __name__)
LONGEST_COMMENT = 2_000
MOST_DIGITS = 10


@blueprint.post("/proposals/<ident:proposal_id>/steps")
@recorded_as("move_proposal")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
def take(proposal_id: str) -> ResponseReturnValue:
    """Take the chosen step, or show the proposal as it stands with why not; the service checks who may."""
    typed = TypedStep.of(request.form)
    try:
        with logging_refusals():
            step = STEPS.get(typed.step)
            if step is None:
                raise InvalidInput("invalid_argument", "Choose a step.", loc=("body", "step"))
            requested = asked(typed)
            context = form_context()
            with transaction() as session:
                take_step(session, proposal_id, step, requested, context)
    except (Conflict, Forbidden, InvalidInput) as refused:
        return proposal_page(proposal_id, status=status_of(refused), typed=typed, refused=page_message(refused))
    flash(step.done, "success")
    return see_other(url_for("proposal.show", proposal_id=proposal_id))


def asked(typed: TypedStep) -> Asked:
    """Return what the form asks for; raises InvalidInput."""
    comment = clean_text(typed.comment, what="The comment", loc=("body", "comment"))
    if len(comment) > LONGEST_COMMENT:
        sentence = f"The comment has more than {LONGEST_COMMENT:,} characters."
        raise InvalidInput("invalid_argument", sentence, loc=("body", "comment"))
    numbered = typed.version.isascii() and typed.version.isdigit() and len(typed.version) < MOST_DIGITS
    if typed.state not in set(ProposalState) or not numbered:
        raise InvalidInput("invalid_argument", "Reload the page and choose again.", loc=("body", "state"))
    reason = {"comment": comment} if comment else {}
    digest = content_hash({"step": typed.step, "state": typed.state, "version": typed.version, **reason})
    return Asked(
        keyed=Keyed(digest, typed.key or None),
        expected=Expected(ProposalState(typed.state), int(typed.version)),
        reason=reason,
    )
