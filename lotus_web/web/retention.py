"""The legal hold of a run: what keeps it whatever its age, who set or lifted it, and why (delta 16)."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict, InvalidInput, LotusError
from lotus_web.domain.retention import REASON_MAX
from lotus_web.domain.surface import Surface
from lotus_web.http.statuses import status_of
from lotus_web.queries.retention import legal_hold
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


@blueprint.get("/runs/<ident:run_id>/legal-hold")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT)
def show(run_id: str) -> ResponseReturnValue:
    """Show whether the run is held, every setting and lifting, and the form for the next."""
    return _page(run_id, reason=draft_for(url_for("retention.change", run_id=run_id)).get("reason", ""))


@blueprint.post("/runs/<ident:run_id>/legal-hold")
@recorded_as("change_legal_hold")
@requires(Permission.ADMIN)
@part_of(SUPPORT)
def change(run_id: str) -> ResponseReturnValue:
    """Set or lift the hold, or show the form again with what was typed and why it was not done."""
    reason = request.form.get("reason", "")
    try:
        with logging_refusals(), transaction() as session:
            hold = _asked()
            set_legal_hold(
                session,
                run_id,
                hold=hold,
                reason=reason,
                actor=current_actor(),
                surface=Surface.FORM,
                now=current.utcnow(),
            )
    except (InvalidInput, Conflict) as refusal:
        return _page(run_id, reason=reason, refusal=refusal)
    flash("The run is under legal hold now." if hold else "The legal hold is lifted.", "success")
    return see_other(url_for("retention.show", run_id=run_id))


def _asked() -> bool:
    word = request.form.get("action", "")
    if word not in WORDS:
        raise InvalidInput("invalid_argument", "Choose whether to set or lift the hold.", loc=("body", "action"))
    return WORDS[word]


def _page(run_id: str, *, reason: str, refusal: LotusError | None = None) -> Response:
    return page_or_fragment(
        "retention/legal_hold.html",
        "retention/_legal_hold.html",
        200 if refusal is None else status_of(refusal),
        held=legal_hold(db.session(), current_actor().tenant_id, run_id),
        reason=reason,
        error=page_message(refusal) if isinstance(refusal, InvalidInput) else None,
        conflict=page_message(refusal) if isinstance(refusal, Conflict) else None,
        longest=REASON_MAX,
        now=current.utcnow(),
    )
