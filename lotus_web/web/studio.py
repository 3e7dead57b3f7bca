"""The studio: should someone look at this trace, and asking them to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from lotus_web.config import current
from lotus_web.domain.access import REVIEWING_ROLES, Permission
from lotus_web.domain.errors import InvalidInput, NotFound
from lotus_web.domain.free_text import without_untaken
from lotus_web.domain.items.values import Priority
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.studio import SIGNAL_TEXT, TEMPLATES
from lotus_web.queries.accounts.people import assignable_people
from lotus_web.queries.studio import dry_run
from lotus_web.queries.traces.summary import recent_traces, trace_summary
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.studio import START_REVIEW, ReviewRequest, Started, start_review
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.items.assignee import assignee_of
from lotus_web.web.shell.htmx import go_to, page_or_fragment, see_other
from lotus_web.web.shell.query_args import text_arg

blueprint = Blueprint("studio", __name__)
LISTED = 30


@dataclass(frozen=True, slots=True)
class TypedReview:
    """The fields as they were sent; None where the dry run's own words are used."""

    title: str | None = None
    reason: str | None = None
    priority: str | None = None
    to: str | None = None

    @classmethod
    def of(cls, fields: MultiDict[str, str]) -> TypedReview:
        """Read what was sent."""
        return cls(fields.get("title"), fields.get("reason"), fields.get("priority"), fields.get("to"))

    @property
    def shown(self) -> TypedReview:
        """The same without characters that no page can hold."""
        texts = (self.title, self.reason, self.priority, self.to)
        return TypedReview(*(None if text is None else without_untaken(text) for text in texts))


@blueprint.get("/studio")
@requires(Permission.RUNS_READ)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Ask for a trace, or lead to the one that was asked for; raises InvalidInput where there is none of that id."""
    trace_id = text_arg("trace")
    if trace_id:
        try:
            trace_summary(db.session(), current_actor().tenant_id, trace_id)
        except NotFound:
            sentence = "There is no trace with this id. An ID must be complete."
            raise InvalidInput("TRACE_NOT_FOUND", sentence, loc=("query", "trace")) from None
        return see_other(url_for("studio.trace", trace_id=trace_id))
    traces = recent_traces(db.session(), current_actor().tenant_id, limit=LISTED)
    return page_or_fragment("studio/studio.html", "studio/_studio.html", traces=traces, now=current.utcnow())


@blueprint.get("/studio/<ident:trace_id>")
@requires(Permission.RUNS_READ)
def trace(trace_id: str) -> ResponseReturnValue:
    """Show what a review of the trace would be; writes nothing."""
    return render_dry_run(trace_id, TypedReview.of(draft_for(url_for("studio.start", trace_id=trace_id))))


@blueprint.post("/studio/<ident:trace_id>")
@requires(Permission.WORKFLOW_REVIEW)
def start(trace_id: str) -> ResponseReturnValue:
    """Start the review and open it, or open the one that this template started before."""
    typed = TypedReview.of(request.form)
    try:
        started = start_one(trace_id, typed)
    except InvalidInput as wrong:
        return render_dry_run(trace_id, typed, status=422, error=wrong)
    told = "The review is started." if started.created else "This review was started before; here it is."
    flash(told, "success" if started.created else "info")
    return go_to(url_for("items.show", workflow_id=started.item.workflow_id))


def start_one(trace_id: str, typed: TypedReview) -> Started:
    """Draft and start in one transaction; raises InvalidInput, NotFound."""
    context, template_id = form_context(), text_arg("template")
    with audited_transaction(AuditedAction(context, START_REVIEW, trace_id)) as session:
        found = dry_run(session, context.actor.tenant_id, trace_id, template_id=template_id, now=context.now)
        return start_review(session, found.draft, asked_review(typed), context)


def asked_review(typed: TypedReview) -> ReviewRequest:
    """Return what the form asks for; raises InvalidInput."""
    words = {priority.word: priority for priority in Priority}
    if typed.priority and typed.priority not in words:
        raise InvalidInput(
            "invalid_argument",
            Sentence("Priority is one of {words}.", words=", ".join(words)),
            loc=("body", "priority"),
        )
    account, role = assignee_of(typed.to or "")
    return ReviewRequest(
        reason=typed.reason or None,
        title=typed.title or None,
        priority=words[typed.priority] if typed.priority else None,
        assigned_account_id=account,
        assigned_role=role,
    )


def render_dry_run(
    trace_id: str, typed: TypedReview, *, status: int = 200, error: InvalidInput | None = None
) -> Response:
    """Render the dry run with its form; raises NotFound for the trace or the template."""
    actor, now, session = current_actor(), current.utcnow(), db.session()
    template_id, codes = text_arg("template"), current.settings().reason_codes
    found = dry_run(session, actor.tenant_id, trace_id, template_id=template_id, now=now, codes=codes)
    return page_or_fragment(
        "studio/trace.html",
        "studio/_trace.html",
        status,
        dry=found,
        trace=found.trace,
        draft=found.draft,
        precedents=found.precedents,
        templates=TEMPLATES.values(),
        signal_text=SIGNAL_TEXT,
        people=assignable_people(session, actor.tenant_id) if actor.may(Permission.WORKFLOW_REVIEW) else (),
        roles=REVIEWING_ROLES,
        typed=typed.shown,
        error=error,
        me=actor.decider_id,
        now=now,
    )
