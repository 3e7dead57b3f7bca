"""Apply an action to an item, for every surface (workflow.md §2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from lotus_web.domain.access import check_permission
from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.decisions.gate import check_reason_code
from lotus_web.domain.errors import InvalidInput, NotFound
from lotus_web.domain.events.projection import PASSED_OVER, Effect, fold_action
from lotus_web.domain.identifiers import check_storable
from lotus_web.domain.items.actions import ACTIONS, Action, Approval, Hold, Text
from lotus_web.domain.items.evidence import check_presented
from lotus_web.domain.items.four_eyes import CODE as FOUR_EYES
from lotus_web.domain.items.staleness import check_not_stale, evidence_digest
from lotus_web.domain.items.state import ActionRecord, ItemState
from lotus_web.domain.items.transitions import check_action, check_ever_possible, check_free_text, override_phrase
from lotus_web.domain.sentences import Sentence
from lotus_web.models import Decision, ProposalEventRow, WorkflowItem
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import LockedItem, item_state, lock_item, store_effects
from lotus_web.services.events.log import append_event, lock_tenant
from lotus_web.services.items.action_records import (
    ReviewAction,
    ReviewCase,
    approval_draft,
    manual_record,
)
from lotus_web.services.items.assignment import check_assignee, may_review
from lotus_web.services.items.presented import keep_evidence
from lotus_web.services.items.signatures import signature_facts
from lotus_web.services.items.subjects import HANDLERS, Decided
from lotus_web.store.new_ids import new_id
from lotus_web.store.types import as_stored

EVIDENCE_MAX_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What an action left behind, as the store holds it; ``decided`` is what a decision left at the subject, if anything."""

    item: ItemState
    action: ActionRecord
    decided: Decided | None

    @property
    def decision(self) -> Decision | None:
        """The decision of RFC-0020, if it was one."""
        return self.decided if isinstance(self.decided, Decision) else None


def apply_action(
    session: Session,
    workflow_id: str,
    asked: ReviewAction,
    context: CommandContext,
    *,
    locked: LockedItem | None = None,
) -> Reviewed:
    """Apply one action under the tenant's lock: event, action, item, decision and notices together.

    ``locked`` is the item where the caller has locked it after the tenant, so that it is not read again. Raises NotFound,
    Forbidden (``four_eyes`` too), Conflict (``invalid_transition``, ``version_conflict``, ``EVIDENCE_REQUIRED``, ``EVIDENCE_CHANGED``,
    those of ``signature_facts``) or InvalidInput; nothing is
    written then.
    """
    actor, policy = context.actor, context.policy
    check_permission(actor, ACTIONS[asked.action].permission)
    runtime = lock_tenant(session, actor.tenant_id)
    locked = locked or lock_item(session, actor.tenant_id, workflow_id)
    if locked is None:
        raise NotFound("not_found", "There is no such item.")
    item = item_state(locked.row)
    handler = HANDLERS[item.subject]
    evidence = handler.evidence(session, item)
    digest = evidence_digest(item, evidence)
    check_ever_possible(item.facts, asked.action)
    asked = check_input(item, asked)
    check_not_stale(item, version=asked.version, digest=asked.shown_digest, current_digest=digest)
    check_presented(asked.presented, asked.action, required=policy.require_evidence)
    after = check_action(item.facts, actor, asked.action)
    exempted = policy.decision_rules.check(item, evidence, actor, asked.action)
    case = ReviewCase(item, asked, after, context, digest, exempted)
    case = replace(case, signed=signature_facts(session, case))
    if exempted:
        record_exemption(session, asked.action, item, context)
    keep_evidence(session, case)
    decided = handler.decide(session, case)
    approval = ACTIONS[asked.action].approval
    if approval is not None:
        effect, record = _approve_or_reject(session, case, approval, decided, locked.row)
    else:
        effect, record = _act(session, case, locked.row, after_log_seq=runtime.last_log_seq)
    if decided is not None:
        handler.conclude(session, case, decided)
    return Reviewed(
        replace(effect.item, metadata=as_stored(effect.item.metadata)),
        replace(record, details=as_stored(record.details)),
        decided,
    )


def check_input(item: ItemState, asked: ReviewAction) -> ReviewAction:
    """Return the request with its text cleaned; raises InvalidInput for a missing reason, target or phrase."""
    text = check_free_text(asked.text or "") or None
    if asked.reason_code is not None:
        check_reason_code(asked.reason_code)
    if asked.evidence and len(canonical_json(asked.evidence)) > EVIDENCE_MAX_BYTES:
        raise InvalidInput("invalid_argument", "Evidence is locators of at most 8 KiB.", loc=("body", "evidence"))
    check_storable(asked.evidence, loc=("body", "evidence"))
    spec = ACTIONS[asked.action]
    coded = asked.reason_code is not None and spec.text is Text.REASON
    if spec.text is not None and text is None and not coded:
        raise InvalidInput(
            "invalid_argument", Sentence("Enter a {text}.", text=spec.text.value), loc=("body", spec.text.value)
        )
    if spec.phrase and (asked.confirm_text or "").strip() != override_phrase(item.workflow_id):
        raise InvalidInput(
            "invalid_argument",
            Sentence("Type {phrase} to confirm.", phrase=override_phrase(item.workflow_id)),
            loc=("body", "confirm_text"),
        )
    if spec.hold is Hold.REASSIGN and not (asked.assigned_account_id or asked.assigned_role):
        raise InvalidInput(
            "invalid_argument", "Name a person or a role to assign to.", loc=("body", "assigned_account_id")
        )
    return replace(asked, text=text)


def record_exemption(session: Session, action: Action, item: ItemState, context: CommandContext) -> None:
    """Write to the audit log that a tenant's exemption from four eyes was used."""
    record_audit(
        session,
        AuditCategory.EXEMPTED,
        actor=context.actor,
        action=action.value,
        subject=item.workflow_id,
        code=FOUR_EYES,
        message="Decided by the person who submitted or requested it: this tenant has a single reviewer.",
        surface=context.surface,
        now=context.now,
        request_id=context.correlation_id,
    )


def _approve_or_reject(
    session: Session, case: ReviewCase, approval: Approval, decided: Decided | None, row: WorkflowItem
) -> tuple[Effect, ActionRecord]:
    """Append ApprovalRecorded; its projection moves the item and writes the action."""
    match decided:
        case Decision():
            approval_id = decided.decision_id
        case ProposalEventRow():
            approval_id = decided.event_id
        case None:
            approval_id = new_id("apr_", 12)
    draft, context = approval_draft(case, approval, approval_id), case.context
    effect = append_event(session, draft, defaults=context.policy.defaults, now=context.now, item=row).effect
    if effect is None or effect.action is None:
        raise AssertionError("the check of an action and the fold of its event disagree")
    return effect, effect.action


def _act(session: Session, case: ReviewCase, row: WorkflowItem, *, after_log_seq: int) -> tuple[Effect, ActionRecord]:
    """Record an action that is no event of the log, and fold it into the item."""
    account, role = _target(session, case)
    record = manual_record(case, account=account, role=role, after_log_seq=after_log_seq)
    configured = case.context.policy.defaults.escalation_account_id
    if ACTIONS[case.asked.action].hold is Hold.ESCALATE and account != configured:
        record = replace(record, details={**record.details, PASSED_OVER: configured})
    effect = fold_action(case.item, record)
    store_effects(session, [effect.by(record)], {row.workflow_id: row})
    return effect, record


def _target(session: Session, case: ReviewCase) -> tuple[str | None, str | None]:
    policy = case.context.policy
    match ACTIONS[case.asked.action].hold:
        case Hold.CLAIM:
            return case.context.actor.decider_id, None
        case Hold.ESCALATE:
            configured = policy.defaults.escalation_account_id
            # Who was disabled or moved since the settings were made would hold it unseen: it waits for the role instead.
            able = configured is not None and may_review(session, case.item.tenant_id, configured)
            return configured if able else None, policy.defaults.escalation_role
        case Hold.REASSIGN:
            account, role = case.asked.assigned_account_id, case.asked.assigned_role
            check_assignee(session, case.item.tenant_id, account_id=account, role=role)
            return account, role
    return None, None
