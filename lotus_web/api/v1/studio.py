"""The studio: templates, a dry run on a trace, and starting a review (workflow.md §5)."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from lotus_web.api.endpoint.params import Answer, FilterText, PriorityName, QueryParams, Stamp
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import INVALID, NOT_FOUND, V1Envelope
from lotus_web.api.v1.item_answers import trace_reference, with_status, workflow_answer, workflow_answers
from lotus_web.api.v1.items import acting
from lotus_web.api.v1.schemas.items import PrecedentsAnswer, WorkflowAnswer
from lotus_web.api.v1.schemas.traces import TraceReferenceAnswer
from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.identifiers import ACTOR_MAX
from lotus_web.domain.items.values import Priority
from lotus_web.domain.studio import SIGNAL_TEXT, TEMPLATES, Draft, Template
from lotus_web.http.refusal_log import set_audit_subject
from lotus_web.queries.studio import dry_run
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.studio import START_REVIEW, ReviewRequest, start_review
from lotus_web.store.session import db

routes = ApiBlueprint("studio", __name__, envelope=V1Envelope())


class TemplateAnswer(Answer):
    """A kind of review that can be started."""

    template_id: str
    title: str
    priority: str
    sla_hours: int
    assigned_role: str
    workflow_kind: str

    @classmethod
    def of(cls, template: Template) -> TemplateAnswer:
        """Return a template as it is sent."""
        return cls(
            template_id=template.template_id,
            title=template.title,
            priority=template.priority.word,
            sla_hours=template.sla_hours,
            assigned_role=template.role.value,
            workflow_kind=template.workflow_kind.value,
        )


class TemplateListAnswer(Answer):
    """All of them."""

    items: list[TemplateAnswer]
    next_cursor: None = None


class SignalAnswer(Answer):
    """Something about the trace that a person should weigh."""

    signal: str
    text: str


class DraftAnswer(Answer):
    """The item as it would be, started now."""

    workflow_id: str
    trace_id: str
    workflow_kind: str
    subject: dict[str, str]
    template_id: str
    title: str
    priority: str
    reason: str
    assigned_role: str
    sla_hours: int
    sla_due_at: Stamp

    @classmethod
    def of(cls, draft: Draft) -> DraftAnswer:
        """Return a draft as it is sent."""
        return cls(
            workflow_id=draft.workflow_id,
            trace_id=draft.trace_id,
            workflow_kind=draft.template.workflow_kind.value,
            subject=draft.subject,
            template_id=draft.template.template_id,
            title=draft.title,
            priority=draft.priority.word,
            reason=draft.reason,
            assigned_role=draft.template.role.value,
            sla_hours=draft.sla_hours,
            sla_due_at=draft.sla_due_at,
        )


class DryRunAnswer(Answer):
    """What a review of the trace would be and what speaks for it; ``existing`` are the items that the trace has."""

    template: TemplateAnswer
    draft: DraftAnswer
    signals: list[SignalAnswer]
    priority: str
    recommended_reason: str
    existing: list[WorkflowAnswer]
    precedents: PrecedentsAnswer
    trace_reference: TraceReferenceAnswer


class DryRunParams(QueryParams):
    """``template_id`` chooses a template; without it the one that fits best is taken."""

    template_id: FilterText | None = None


class StartBody(BaseModel):
    """What is left out is taken from the dry run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template_id: str | None = None
    reason: str | None = None
    title: str | None = None
    priority: PriorityName | None = None
    assigned_account_id: FilterText | None = None
    assigned_role: FilterText | None = None
    actor_id: Annotated[str | None, Field(min_length=1, max_length=ACTOR_MAX)] = None

    def request(self) -> ReviewRequest:
        """Return what the service takes."""
        values: dict[str, Any] = self.model_dump(include={"reason", "title"})
        return ReviewRequest(
            **values,
            priority=Priority.of(self.priority) if self.priority else None,
            assigned_account_id=self.assigned_account_id or None,
            assigned_role=self.assigned_role or None,
        )


class StartedAnswer(Answer):
    """The review and whether this call started it."""

    created: bool
    workflow: WorkflowAnswer


@routes.get("/workflow-studio/templates")
@endpoint("List the templates of reviews", permission=Permission.RUNS_READ, response=TemplateListAnswer)
def list_templates(call: Call) -> TemplateListAnswer:
    """Return the templates."""
    return TemplateListAnswer(items=[TemplateAnswer.of(template) for template in TEMPLATES.values()])


@routes.get("/workflow-studio/traces/<ident:trace_id>")
@endpoint(
    "Dry-run a review of a trace",
    permission=Permission.RUNS_READ,
    query=DryRunParams,
    response=DryRunAnswer,
    refuses=(NOT_FOUND,),
)
def get_dry_run(call: Call, query: DryRunParams, trace_id: str) -> DryRunAnswer:
    """Return what a review would be; writes nothing."""
    codes, template_id = current.settings().reason_codes, query.template_id or None
    found = dry_run(db.session(), call.actor.tenant_id, trace_id, template_id=template_id, now=call.now, codes=codes)
    return DryRunAnswer(
        template=TemplateAnswer.of(found.draft.template),
        draft=DraftAnswer.of(found.draft),
        signals=[SignalAnswer(signal=signal.value, text=SIGNAL_TEXT[signal]) for signal in found.signals],
        priority=found.priority.word,
        recommended_reason=found.recommended_reason,
        existing=workflow_answers(found.trace.items, call.now),
        precedents=PrecedentsAnswer.of(found.precedents),
        trace_reference=trace_reference(found.trace),
    )


@routes.post("/workflow-studio/traces/<ident:trace_id>/reviews")
@endpoint(
    "Start a review of a trace",
    permission=Permission.WORKFLOW_REVIEW,
    body=StartBody,
    response=StartedAnswer,
    status=201,
    also=(200,),
    refuses=(NOT_FOUND, INVALID),
)
def start(call: Call, body: StartBody, trace_id: str) -> Response:
    """Start a review: 201, or 200 with the one that this template started before."""
    set_audit_subject(START_REVIEW, trace_id)
    context, template_id = call.context(acting(call, body.actor_id)), body.template_id or None
    with audited_transaction(AuditedAction(context, START_REVIEW, trace_id)) as session:
        found = dry_run(session, context.actor.tenant_id, trace_id, template_id=template_id, now=context.now)
        started = start_review(session, found.draft, body.request(), context)
    answer = StartedAnswer(created=started.created, workflow=workflow_answer(started.item, call.now))
    return with_status(answer, 201 if started.created else 200)
