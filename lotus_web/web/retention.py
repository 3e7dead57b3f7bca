"""The legal hold of a run or a proposal: what keeps it whatever its age, who set or lifted it, and why (delta 16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.config.features import PROPOSAL_SUPPORT, PROPOSALS, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput, LotusError
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.retention import REASON_MAX
from lotus_web.domain.surface import Surface
from lotus_web.http.statuses import status_of
from lotus_web.queries.retention import LegalHold, legal_hold, proposal_legal_hold
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.features import part_of
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.shell.htmx import page_or_fragment, see_other

blueprint = Blueprint("retention", __name__)
WORDS = {"set": True, "lift": False}


@dataclass(frozen=True, slots=True)
class Held:
    """What the page is about: its noun, how its hold is read, and where its list, its page and this page are."""

    kind: EntityKind
    entity_id: str
    noun: str
    plural: str
    read: Callable[[Session, str, str], LegalHold]
    list_url: str
    page_url: str
    hold_url: str


def _run(run_id: str) -> Held:
    urls = (url_for("runs.listing"), url_for("runs.show", run_id=run_id), url_for("retention.show", run_id=run_id))
    return Held(EntityKind.RUN, run_id, "run", "Runs", legal_hold, *urls)


def _proposal(proposal_id: str) -> Held:
    endpoints = ("proposal.show", "retention.show_proposal")
    urls = (url_for("proposals.listing"), *(url_for(one, proposal_id=proposal_id) for one in endpoints))
    return Held(EntityKind.PROPOSAL, proposal_id, "proposal", "Proposals", proposal_legal_hold, *urls)


@blueprint.get("/runs/<ident:run_id>/legal-hold")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT)
def show(run_id: str) -> ResponseReturnValue:
    """Show whether the run is held, every setting and lifting, and the form for the next."""
    return _shown(_run(run_id))


@blueprint.post("/runs/<ident:run_id>/legal-hold")
@recorded_as("change_legal_hold")
@requires(Permission.ADMIN)
@part_of(SUPPORT)
def change(run_id: str) -> ResponseReturnValue:
    """Set or lift the hold, or show the form again with what was typed and why it was not done."""
    return _changed(_run(run_id))


@blueprint.get("/proposals/<ident:proposal_id>/legal-hold")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS, PROPOSAL_SUPPORT)
def show_proposal(proposal_id: str) -> ResponseReturnValue:
    """Show the same of a proposal."""
    return _shown(_proposal(proposal_id))


@blueprint.post("/proposals/<ident:proposal_id>/legal-hold")
@recorded_as("change_proposal_hold")
@requires(Permission.ADMIN)
@part_of(PROPOSALS, PROPOSAL_SUPPORT)
def change_proposal(proposal_id: str) -> ResponseReturnValue:
    """Do the same to a proposal."""
    return _changed(_proposal(proposal_id))


def _shown(held: Held) -> Response:
    return _page(held, reason=draft_for(held.hold_url).get("reason", ""))


def _changed(held: Held) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    try:
        with logging_refusals(), transaction() as session:
            hold = _asked()
            set_legal_hold(
                session,
                held.entity_id,
                kind=held.kind,
                hold=hold,
                reason=reason,
                actor=current_actor(),
                surface=Surface.FORM,
                now=current.utcnow(),
            )
    except (InvalidInput, Conflict) as refusal:
        return _page(held, reason=reason, refusal=refusal)
    flash(f"The {held.noun} is under legal hold now." if hold else "The legal hold is lifted.", "success")
    return see_other(held.hold_url)


def _asked() -> bool:
    word = request.form.get("action", "")
    if word not in WORDS:
        raise InvalidInput("invalid_argument", "Choose whether to set or lift the hold.", loc=("body", "action"))
    return WORDS[word]


def _page(held: Held, *, reason: str, refusal: LotusError | None = None) -> Response:
    return page_or_fragment(
        "retention/legal_hold.html",
        "retention/_legal_hold.html",
        200 if refusal is None else status_of(refusal),
        subject=held,
        held=held.read(db.session(), current_actor().tenant_id, held.entity_id),
        reason=reason,
        error=page_message(refusal) if isinstance(refusal, InvalidInput) else None,
        conflict=page_message(refusal) if isinstance(refusal, Conflict) else None,
        longest=REASON_MAX,
        now=current.utcnow(),
    )
