"""Items: the list, one item with its context, and everything that can be done to it (workflow.md §2, §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from lotus_web.api.endpoint.auth import deciding_actor
from lotus_web.api.endpoint.params import Answer, FilterText, PriorityName, QueryParams
from lotus_web.api.endpoint.presented import EVIDENCE_TAG, presented_by
from lotus_web.api.endpoint.routing import AnyToken, ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import (
    EVIDENCE_CHANGED,
    EVIDENCE_REQUIRED,
    FOUR_EYES,
    INVALID,
    INVALID_TRANSITION,
    NOT_FOUND,
    SIGNATURE_REQUIRED,
    UNKNOWN_ACTION,
    VERSION_CONFLICT,
    V1Envelope,
)
from lotus_web.api.v1.item_answers import action_answer, detail_answer, with_status, workflow_answer, workflow_answers
from lotus_web.api.v1.schemas.items import ActedAnswer, SummaryAnswer, WorkflowDetailAnswer, WorkflowListAnswer
from lotus_web.config import current
from lotus_web.domain.access import Actor, Permission, check_permission
from lotus_web.domain.decisions.reason_codes import check_programs_reason
from lotus_web.domain.errors import InvalidInput, Malformed
from lotus_web.domain.identifiers import ACTOR_MAX, check_visible, is_storable
from lotus_web.domain.items.actions import ACTIONS, OFFERED, Action, Text
from lotus_web.domain.items.values import OPEN, ItemStatus, Priority
from lotus_web.domain.sentences import Sentence
from lotus_web.http.refusal_log import set_audit_subject
from lotus_web.queries.inbox.counts import workflow_summary
from lotus_web.queries.inbox.filter import InboxFilter, WorkflowFilter
from lotus_web.queries.inbox.listing import workflow_page
from lotus_web.queries.items.detail import workflow_detail
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.services.items.next_item import NEXT, claim_next_item
from lotus_web.store.session import db

LIMIT = 12
MOST = 200
Q_MAX = 200
DIGEST_MAX = 100

routes = ApiBlueprint("workflows", __name__, envelope=V1Envelope())


class WorkflowListParams(QueryParams):
    """Filters of the list; a terminal ``status`` lists closed items unless ``only_open`` says otherwise."""

    status: ItemStatus | None = None
    assigned_account_id: FilterText | None = None
    assigned_role: FilterText | None = None
    priority: PriorityName | None = None
    trace_id: FilterText | None = None
    portfolio_id: FilterText | None = None
    only_open: bool | None = None
    only_overdue: bool = False
    q: Annotated[FilterText | None, Field(max_length=Q_MAX)] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = LIMIT
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None

    @property
    def open_ones(self) -> bool:
        """Whether closed items are left out."""
        return self.only_open if self.only_open is not None else self.status is None or self.status in OPEN

    def filters(self) -> WorkflowFilter:
        """Return the filter of the query."""
        return WorkflowFilter(
            criteria=InboxFilter(
                status=self.status,
                priority=Priority.of(self.priority) if self.priority else None,
                role=self.assigned_role or None,
                person=self.assigned_account_id or None,
                portfolio=self.portfolio_id or None,
                text=self.q or None,
            ),
            trace_id=self.trace_id or None,
            only_open=self.open_ones,
            only_overdue=self.only_overdue,
        )

    def in_force(self) -> dict[str, Any]:
        """Return the filters as the answer names them."""
        asked = self.model_dump(mode="json", exclude={"limit", "cursor", "only_open"})
        return asked | {"only_open": self.open_ones}


class ActionBody(BaseModel):
    """The requested action; ``version`` is the item's as the caller saw it, ``actor_id`` whom an account speaks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: str
    reason: str | None = None
    note: str | None = None
    reason_code: str | None = None
    evidence: dict[str, Any] | None = None
    assigned_account_id: str | None = None
    assigned_role: str | None = None
    confirm_text: str | None = None
    version: Annotated[int | None, Field(ge=0)] = None
    shown_digest: str | None = None
    evidence_digest: Annotated[str | None, Field(max_length=DIGEST_MAX)] = None
    actor_id: Annotated[str | None, Field(min_length=1, max_length=ACTOR_MAX)] = None


class NextBody(BaseModel):
    """``skip`` is an item that the caller has seen and does not want now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    skip: FilterText | None = None
    actor_id: Annotated[str | None, Field(min_length=1, max_length=ACTOR_MAX)] = None


class NextAnswer(Answer):
    """The item that was claimed; null when nothing is free."""

    claimed: ActedAnswer | None


def acting(call: Call, actor_id: str | None) -> Actor:
    """Return who acts; raises Forbidden when an account speaks for someone and may not."""
    if actor_id is None:
        return call.actor
    return deciding_actor(call.actor, check_visible(actor_id, "actor_id", longest=ACTOR_MAX, loc=("body", "actor_id")))


@routes.get("/workflows")
@endpoint("List items", permission=Permission.RUNS_READ, query=WorkflowListParams, response=WorkflowListAnswer)
def list_workflows(call: Call, query: WorkflowListParams) -> WorkflowListAnswer:
    """Return a page of items, most urgent first."""
    session, tenant_id, soon = db.session(), call.actor.tenant_id, current.settings().deadline_risk_warning_minutes
    filters = query.filters()
    page = workflow_page(
        session, tenant_id, filters, now=call.now, soon_minutes=soon, limit=query.limit, cursor=query.cursor
    )
    summary = workflow_summary(session, tenant_id, filters, now=call.now, soon_minutes=soon)
    return WorkflowListAnswer(
        items=workflow_answers(page.items, call.now),
        next_cursor=page.next_cursor,
        summary=SummaryAnswer.model_validate(summary),
        filters=query.in_force(),
    )


@routes.get("/workflows/<ident:workflow_id>")
@endpoint(
    "Return an item with its history and context",
    permission=Permission.RUNS_READ,
    response=WorkflowDetailAnswer,
    refuses=(NOT_FOUND,),
)
def get_workflow(call: Call, workflow_id: str) -> Response:
    """Return one item; its ETag is the digest of the evidence, which a decision may send back."""
    detail = workflow_detail(
        db.session(),
        workflow_id,
        actor=call.actor,
        now=call.now,
        rules=current.policy().decision_rules,
        codes=current.settings().reason_codes,
    )
    document = detail_answer(detail, now=call.now, claim_minutes=current.settings().claim_minutes)
    answer = with_status(document, 200)
    answer.set_etag(detail.evidence.digest)
    return answer


@routes.post("/workflows/<ident:workflow_id>/actions")
@endpoint(
    "Act on an item",
    permission=AnyToken.ANY,
    headers=(EVIDENCE_TAG,),
    body=ActionBody,
    response=ActedAnswer,
    refuses=(
        NOT_FOUND,
        UNKNOWN_ACTION,
        INVALID,
        FOUR_EYES,
        INVALID_TRANSITION,
        VERSION_CONFLICT,
        EVIDENCE_REQUIRED,
        EVIDENCE_CHANGED,
        SIGNATURE_REQUIRED,
    ),
)
def act(call: Call, body: ActionBody, workflow_id: str) -> ActedAnswer:
    """Apply one action; which permission it needs depends on the action."""
    action = _action(body.action)
    set_audit_subject(action.value, workflow_id)
    context = call.context(acting(call, body.actor_id))
    with audited_transaction(AuditedAction(context, action.value, workflow_id, unseen=True)) as session:
        check_permission(context.actor, ACTIONS[action].permission)
        asked = _asked(action, body)
        if ACTIONS[action].decides:
            lock_tenant(
                session, context.actor.tenant_id
            )  # what was read is compared with what there is when it is decided
            asked = replace(asked, presented=presented_by(call, workflow_id, body.evidence_digest))
        reviewed = apply_action(session, workflow_id, asked, context)
        return _acted(reviewed, call)


@routes.post("/workflows/next")
@endpoint(
    "Claim the most urgent free item",
    permission=Permission.WORKFLOW_REVIEW,
    body=NextBody,
    response=NextAnswer,
)
def claim_next_workflow(call: Call, body: NextBody) -> NextAnswer:
    """Claim what is most urgent and free for the caller, never what someone else was given."""
    set_audit_subject(Action.CLAIM.value, NEXT)
    context = call.context(acting(call, body.actor_id))
    with audited_transaction(AuditedAction(context, Action.CLAIM.value, NEXT)) as session:
        claimed = claim_next_item(session, context, skip=body.skip)
        return NextAnswer(claimed=None if claimed is None else _acted(claimed, call))


def _action(word: str) -> Action:
    try:
        return next(action for action in OFFERED if action == word)
    except StopIteration:
        known = [action.value for action in OFFERED]
        message = f"There is no action {word[:64]!r}."
        raise Malformed("invalid_argument", message, loc=("body", "action"), details={"actions": known}) from None


def _asked(action: Action, body: ActionBody) -> ReviewAction:
    text = (body.note if ACTIONS[action].text is Text.NOTE else body.reason) or body.reason or body.note
    check_programs_reason(action, body.reason_code, text or "", current.settings().reason_codes)
    return ReviewAction(
        action=action,
        text=text,
        reason_code=body.reason_code,
        assigned_account_id=_named(body.assigned_account_id, "assigned_account_id"),
        assigned_role=_named(body.assigned_role, "assigned_role"),
        confirm_text=body.confirm_text,
        version=body.version,
        shown_digest=body.shown_digest,
        evidence=body.evidence,
    )


def _named(value: str | None, field: str) -> str | None:
    if value is not None and not is_storable(value):
        raise InvalidInput("invalid_argument", Sentence("{field} cannot be stored.", field=field), loc=("body", field))
    return value or None


def _acted(reviewed: Reviewed, call: Call) -> ActedAnswer:
    return ActedAnswer(action=action_answer(reviewed.action), workflow=workflow_answer(reviewed.item, call.now))
