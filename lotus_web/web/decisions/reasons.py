"""The manager's report: which reasons decisions gave in a period, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.queries.audit.explorer import NO_REASON
from lotus_web.queries.audit.lines import Source
from lotus_web.queries.decisions.reasons import ReasonLine, reason_report
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.shell.htmx import page_or_fragment
from lotus_web.web.shell.query_args import check_order, instant_arg

blueprint = Blueprint("reasons", __name__)
DAYS = 30


@blueprint.get("/decisions/reasons")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Show the reasons of a period, the last month unless the address says otherwise."""
    since, until = period()
    report = reason_report(
        db.session(),
        current_actor().tenant_id,
        since=since,
        until=until,
        codes=current.settings().reason_codes,
    )
    actions = {line.action: [one for one in report.lines if one.action == line.action] for line in report.lines}
    return page_or_fragment(
        "decisions/reasons.html",
        "decisions/_reasons.html",
        report=report,
        actions=actions,
        decisions_of=decisions_of,
        listed=[action.value for action, spec in ACTIONS.items() if spec.gate],
        since=since,
        until=until,
        is_filtered=bool(request.args.get("from") or request.args.get("to")),
        days=DAYS,
    )


def period() -> tuple[datetime, datetime]:
    """Return when the report begins and ends; raises InvalidInput."""
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    until = end or current.utcnow()
    # From a midnight on, as the lists begin that the lines lead to.
    return start or (until - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0), until


def decisions_of(line: ReasonLine) -> str | None:
    """Return the address of what is behind a line: of the audit, which has all of it; for who may not read that, of the decisions on runs."""
    kept = {name: request.args[name] for name in ("from", "to") if request.args.get(name)}
    when: dict[str, Any] = kept or {"from": period()[0].date().isoformat()}
    if current_actor().may(Permission.WORKFLOW_EXPORT):
        return url_for("audit.show", source=Source.ACTION.word, kind=line.action, reason=line.code or NO_REASON, **when)
    gate = ACTIONS[Action(line.action)].gate
    if gate is None or line.code is None:
        return None
    return url_for("decisions.show", action=gate.value, reason_code=line.code, **when)
