"""A trace: what it is about, and its events, actions and notifications in one order."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.queries.traces.summary import trace_detail
from lotus_web.queries.traces.timeline import TimelineEntry, trace_timeline
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.shell.htmx import page_or_fragment

blueprint = Blueprint("traces", __name__)


@blueprint.get("/traces/<ident:trace_id>")
@requires(Permission.RUNS_READ)
def show(trace_id: str) -> ResponseReturnValue:
    """Show a trace from its first event on."""
    detail = trace_detail(db.session(), current_actor().tenant_id, trace_id)
    entries = trace_timeline(detail, current.settings().reason_codes)
    return page_or_fragment(
        "traces/trace.html",
        "traces/_trace.html",
        trace=detail.summary,
        events=detail.events,
        entries=entries,
        links=links_of(entries),
        cut=detail.cut,
        me=current_actor().decider_id,
        now=current.utcnow(),
        soon_minutes=current.settings().deadline_risk_warning_minutes,
    )


def links_of(entries: tuple[TimelineEntry, ...]) -> dict[str, str]:
    """Return where each entry leads: to its item, or to its own payload further down the page."""
    return {
        entry.entry_id: url_for("items.show", workflow_id=entry.workflow_id)
        if entry.workflow_id
        else f"#{entry.entry_id}"
        for entry in entries
    }
