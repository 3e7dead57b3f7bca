"""The digest of what a decider was shown: a decision on an outdated page is refused."""

from __future__ import annotations

from lotus_web.domain.canonical import content_hash
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence
from lotus_web.domain.items.transitions import status_sentence
from lotus_web.domain.sentences import Account, Sentence


def evidence_digest(item: ItemState, evidence: Evidence) -> str:
    """Return the digest of an item as it is and of what a decision on it rests on."""
    return content_hash(
        {
            "workflow_id": item.workflow_id,
            "version": item.version,
            "status": item.status,
            "sla_due_at": item.sla_due_at,
            "artifact_hash": evidence.content_hash,
        }
    )


def check_not_stale(item: ItemState, *, version: int | None, digest: str | None, current_digest: str) -> None:
    """Raise Conflict ``version_conflict``, naming who did what and when, if the item is not as the caller saw it."""
    moved = version is not None and version != item.version
    if not moved and digest in (None, current_digest):
        return
    raise Conflict(
        "version_conflict",
        _what_changed(item, version),
        details={
            "current_version": item.version,
            "seen_version": version,
            "status": item.status.value,
            "changed_by": item.last_actor_id,
            "action": item.last_action_type,
            "changed_at": item.last_action_at.isoformat(timespec="microseconds") if item.last_action_at else None,
        },
    )


def _what_changed(item: ItemState, seen: int | None) -> Sentence:
    if seen is not None and not 1 <= seen <= item.version:
        template = "This item is at version {version}; there never was a version {seen}."
        return Sentence(template, version=item.version, seen=seen)
    if item.last_action_type is None or seen == item.version:
        return Sentence.literal("The evidence of this item is not what you saw.")
    spec = ACTIONS[Action(item.last_action_type)]
    done = spec.describe(account=item.assigned_account_id, role=item.assigned_role)
    return Sentence(
        "This item changed while you were looking: {actor} {done}. {status}",
        actor=Account(str(item.last_actor_id)),
        done=done,
        status=status_sentence(item.status),
    )
