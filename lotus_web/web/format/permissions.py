"""What each permission lets someone do, in the words of a page. JSON names permissions as they are."""

from __future__ import annotations

import re

from lotus_web.domain.access import Permission

MAY = {
    Permission.RUNS_READ: "See runs, items and records",
    Permission.RUNS_WRITE: "Send portfolios to be rebalanced",
    Permission.WORKFLOW_REVIEW: "Claim and decide items",
    Permission.WORKFLOW_ASSIGN: "Give items to others",
    Permission.WORKFLOW_ESCALATE: "Escalate items",
    Permission.WORKFLOW_OVERRIDE: "Override the gate",
    Permission.WORKFLOW_EXPORT: "Read and export the audit",
    Permission.EVENTS_WRITE: "Feed events of other systems",
    Permission.PROPOSALS_WRITE: "Send and move proposals",
    Permission.OPERATIONS_EXECUTE: "Run operations",
    Permission.ACT_ON_BEHALF: "Act in the name of others",
    Permission.ADMIN: "Administer people and tokens",
}

_RAW = re.compile(rf"This needs the permission ({'|'.join(Permission)})\.")


def permitted(permission: str) -> str:
    """Return what a permission lets someone do, in plain words; one that is no more as it was stored."""
    return MAY[Permission(permission)] if permission in set(Permission) else permission


def needed(*permissions: str) -> str:
    """Return the sentence that says which permissions are missing, in plain words."""
    named = " and ".join(f"“{permitted(one)}”" for one in permissions)
    return f"This needs the permission{'s' if len(permissions) > 1 else ''} {named}."


def in_plain_words(sentence: str) -> str:
    """Return a refusal's sentence, which names a missing permission as JSON does, in plain words; any other as it is."""
    return _RAW.sub(lambda found: needed(found[1]), sentence)
