"""Replaying a run with today's engine, and what came out differently."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.config.features import SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import NotFound
from lotus_web.http.request_ids import current_ids
from lotus_web.queries.runs.diff import replayed_from, run_diff
from lotus_web.services.runs.replay import replay_run
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.runs.diff_rows import diff_rows
from lotus_web.web.shell.htmx import page_or_fragment, see_other

blueprint = Blueprint("replay", __name__)


@blueprint.get("/runs/<ident:run_id>/replay")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT)
def show(run_id: str) -> ResponseReturnValue:
    """Show a replay next to the run that it replays."""
    session, tenant_id = db.session(), current_actor().tenant_id
    origin = replayed_from(session, tenant_id, run_id)
    if origin is None:
        raise NotFound("RUN_IS_NO_REPLAY", "There is no such run here, or it is not a replay of another.")
    diff = run_diff(session, tenant_id, origin, run_id)
    return page_or_fragment(
        "runs/replay.html",
        "runs/_replay.html",
        diff=diff,
        tables=[
            ("Targets", diff_rows(diff.targets)),
            ("Orders", diff_rows(diff.intents)),
            ("Rules", diff_rows(diff.rules)),
        ],
        now=current.utcnow(),
    )


@blueprint.post("/runs/<ident:run_id>/replay")
@requires(Permission.RUNS_WRITE)
@part_of(SUPPORT)
def replay(run_id: str) -> ResponseReturnValue:
    """Record a new run from the stored request of this one, and go to the comparison."""
    new_id = replay_run(
        run_id,
        correlation_id=current_ids().correlation_id,
        actor=current_actor(),
        policy=current.policy(),
        clock=current.utcnow,
    )
    flash("Replayed as a new run.", "success")
    return see_other(url_for("replay.show", run_id=new_id))
