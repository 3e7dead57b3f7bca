"""What a decision records of the evidence that it was taken on, and of how whoever decided was signed in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.items.actions import ACTIONS
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.domain.lineage import EntityKind
from lotus_web.models import DecisionEvidence
from lotus_web.services.items.action_records import ReviewCase
from lotus_web.store.upserts import insert_into
from lotus_web.wire.packed import pack

# What the document goes with when retention removes its subject (services/retention/targets.py).
_KINDS = {SubjectType.RUN: EntityKind.RUN, SubjectType.PROPOSAL: EntityKind.PROPOSAL}


def keep_evidence(session: Session, case: ReviewCase) -> None:
    """Store the document that was presented with a decision, for its receipt; nothing where none was."""
    shown = case.asked.presented
    if shown is None or shown.document is None or not ACTIONS[case.asked.action].decides:
        return
    values: dict[str, Any] = {
        "tenant_id": case.item.tenant_id,
        "digest": shown.digest,
        "entity_kind": _KINDS.get(case.item.subject, EntityKind.ITEM).value,
        "entity_id": case.item.rebalance_run_id or case.item.subject_id,
        "document": pack(shown.document),
    }
    session.execute(insert_into(session, DecisionEvidence).values(values).on_conflict_do_nothing())
