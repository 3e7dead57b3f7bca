"""What each permission allows, in the words of pages. JSON names permissions by their ids."""

from __future__ import annotations

from lotus_web.domain.access import Permission

MAY = {
    Permission.RUNS_READ: "See runs, items and records",
    Permission.RUNS_WRITE: "Submit portfolios for rebalancing",
    Permission.WORKFLOW_REVIEW: "Claim and decide items",
    Permission.WORKFLOW_ASSIGN: "Assign items to others",
    Permission.WORKFLOW_ESCALATE: "Escalate items",
    Permission.WORKFLOW_OVERRIDE: "Override the gate",
    Permission.WORKFLOW_EXPORT: "Read and export the audit log",
    Permission.EVENTS_WRITE: "Send events from other systems",
    Permission.PROPOSALS_WRITE: "Simulate, create and submit proposals",
    Permission.OPERATIONS_EXECUTE: "Run operations",
    Permission.ACT_ON_BEHALF: "Act on behalf of others",
    Permission.ADMIN: "Administer people and tokens",
}


def permitted(permission: str) -> str:
    """Return what a permission allows, in plain words; the id itself for one that no longer exists."""
    return MAY[Permission(permission)] if permission in set(Permission) else permission
