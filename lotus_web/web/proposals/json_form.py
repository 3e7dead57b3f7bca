"""A proposal or a new version as JSON, pasted or uploaded: what the JSON routes take, with the same refusals."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from lotus_web.config import current
from lotus_web.config.features import ASYNC_OPERATIONS, PROPOSAL_ASYNC_OPERATIONS, PROPOSALS, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.http.body_limit import in_words
from lotus_web.http.statuses import status_of
from lotus_web.queries.proposals.view import ProposalView
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Recorded
from lotus_web.services.proposals.operation import submit_create, submit_version
from lotus_web.services.proposals.preview import preview
from lotus_web.services.proposals.versions import create_version
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.features import check_open, part_of
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.proposals.document import TypedDocument, as_request
from lotus_web.web.proposals.form import made_with, opened
from lotus_web.web.proposals.form_page import NO_PROBLEMS, USED, about, new_key
from lotus_web.web.proposals.problems import Problem, Problems, of_json
from lotus_web.web.proposals.version_form import open_proposal
from lotus_web.web.shell.htmx import go_to, page_or_fragment
from lotus_web.wire.json_text import UnreadableJson
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalVersionBody

blueprint = Blueprint("proposals_json", __name__)
FIELD, CREATE, SUBMIT = "document", "create", "submit"
IN_PLACE = (SUPPORT, ASYNC_OPERATIONS, PROPOSAL_ASYNC_OPERATIONS)
OTHERS = "created_by: A proposal is made in the name of the one who is signed in."

Body = CreateProposalBody | ProposalVersionBody


@blueprint.get("/proposals/new/json")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def start() -> ResponseReturnValue:
    """Show the empty form, or what was typed before the session ended."""
    return document_page(_kept(url_for("proposals_json.send")))


@blueprint.post("/proposals/new/json")
@recorded_as("create_proposal")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def send() -> ResponseReturnValue:
    """Simulate, or create the proposal."""
    return answered(None)


@blueprint.get("/proposals/<ident:proposal_id>/versions/new/json")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def start_version(proposal_id: str) -> ResponseReturnValue:
    """Show the empty form of a new version; raises InvalidInput for a proposal that has ended."""
    found = open_proposal(proposal_id)
    return document_page(_kept(url_for("proposals_json.send_version", proposal_id=proposal_id)), found=found)


@blueprint.post("/proposals/<ident:proposal_id>/versions/new/json")
@recorded_as("create_proposal_version")
@requires(Permission.PROPOSALS_WRITE)
@part_of(PROPOSALS)
def send_version(proposal_id: str) -> ResponseReturnValue:
    """Simulate, or create the version."""
    return answered(open_proposal(proposal_id))


def _kept(path: str) -> TypedDocument:
    kept = draft_for(path)
    return TypedDocument(kept.get("key") or new_key(), kept.get(FIELD, ""))


def answered(found: ProposalView | None) -> ResponseReturnValue:
    """Read the document, then simulate or create; whatever is wrong with it is said at its place, with the text kept."""
    typed = TypedDocument.of_request()
    try:
        body = _body(typed, found)
    except (ValidationError, UnreadableJson) as wrong:
        return document_page(typed, found=found, status=422, problems=of_json(wrong, typed.text, field=FIELD))
    if body.created_by != current_actor().actor_id:
        return document_page(typed, found=found, status=403, problems=Problems((Problem(FIELD, OTHERS),)))
    if request.form.get("do") not in (CREATE, SUBMIT):
        return document_page(typed, found=found, outcome=body)
    try:
        with logging_refusals():
            return _submitted(typed, body) if request.form["do"] == SUBMIT else opened(_made(typed, body))
    except Conflict as refused:
        before = made_with(typed.key) if found is None else None
        again = TypedDocument(new_key(), typed.text)
        said = USED if before else page_message(refused)
        return document_page(again, found=found, status=409, conflict=said, made_before=before)
    except InvalidInput as refused:
        problems = Problems((Problem(FIELD, page_message(refused)),))
        return document_page(typed, found=found, status=status_of(refused), problems=problems)


def _body(typed: TypedDocument, found: ProposalView | None) -> Body:
    """Return the document as a request; raises UnreadableJson, ValidationError."""
    kind: type[Body] = CreateProposalBody if found is None else ProposalVersionBody
    return kind.model_validate(as_request(typed.parsed(), created_by=current_actor().actor_id))


def _made(typed: TypedDocument, body: Body) -> Recorded:
    """Create what the document asks for; raises what the services do."""
    if isinstance(body, CreateProposalBody):
        return create_proposal(body, idempotency_key=typed.key, context=form_context())
    proposal_id = str((request.view_args or {})["proposal_id"])
    return create_version(proposal_id, body, idempotency_key=typed.key or None, context=form_context())


def _submitted(typed: TypedDocument, body: Body) -> ResponseReturnValue:
    """Accept the document as an operation and go to its page, which shows how far it is."""
    check_open(*IN_PLACE)
    settings, context = current.settings(), form_context()
    how: dict[str, Any] = {
        "callback_url": None,
        "context": context,
        "terms": LeaseTerms.of(settings),
        "inline": settings.executes_inline,
        "clock": current.utcnow,
    }
    if isinstance(body, CreateProposalBody):
        accepted = submit_create(body, idempotency_key=typed.key, **how)
    else:
        proposal_id = str((request.view_args or {})["proposal_id"])
        accepted = submit_version(proposal_id, body, idempotency_key=typed.key or None, **how)
    flash("Accepted as an operation. This page shows how far it is.", "success")
    return go_to(url_for("operations.show", operation_id=accepted.operation_id))


def document_page(
    typed: TypedDocument,
    *,
    found: ProposalView | None = None,
    status: int = 200,
    problems: Problems = NO_PROBLEMS,
    outcome: Body | None = None,
    conflict: str | None = None,
    made_before: str | None = None,
) -> Response:
    """Render the form: of a new proposal, or of a new version of ``found``. ``outcome`` is the request to simulate."""
    proposal = found.proposal if found else None
    action = url_for("proposals_json.send")
    if proposal is not None:
        action = url_for("proposals_json.send_version", proposal_id=proposal.proposal_id)
    return page_or_fragment(
        "proposals/json.html",
        "proposals/_json.html",
        status,
        **about(proposal, action=action),
        typed=typed.shown,
        problems=problems,
        outcome=preview(outcome.simulate_request) if outcome else None,
        conflict=conflict,
        made_before=made_before,
        most=in_words(),
        as_operation=all(feature.is_on for feature in IN_PLACE),
    )
