"""The tags of the document: one for each blueprint, in reading order."""

from __future__ import annotations

import re

MOUNT = re.compile(r"^api_(?:v1_)?(?:rebalance_)?")

TAGS = {
    "simulate": ("Simulate", "Run the engine on one portfolio and record the run."),
    "analyze": ("Analyze", "Run several scenarios of one portfolio, at once or as an operation."),
    "operations": ("Operations", "Accepted work: its status, and executing it manually."),
    "runs": ("Runs", "Recorded runs: lists, look-ups and artifacts (RFC-0017, RFC-0019)."),
    "gate": (
        "Review gate",
        "What a run needs before it may proceed, and the decisions on it; its submitter may not approve it.",
    ),
    "decisions": ("Decisions", "Who decided what, across runs (RFC-0020)."),
    "lineage": ("Lineage", "How an id is connected with others (RFC-0023)."),
    "bundles": ("Support bundles", "Everything about one run in one response, by any of its IDs (RFC-0023)."),
    "support": ("Support", "The summary of the store (RFC-0023)."),
    "idempotency": ("Idempotency", "The recordings and replays under a key (RFC-0023)."),
    "retention": ("Legal holds", "What protects a run or a proposal from being deleted (RFC-0023)."),
    "replay": ("Replay", "A run's stored request, recomputed by today's engine and compared."),
    "proposal_simulations": (
        "Proposal simulations",
        "Computing what an adviser proposes, without recording a proposal.",
    ),
    "proposals": ("Proposals", "What advisers propose for portfolios, from draft to execution, and who approved it."),
    "proposal_versions": ("Proposal versions", "A proposal's versions; a new one makes it a draft again."),
    "proposal_support": (
        "Proposal support",
        "Events, approvals, lineage and keys of proposals, and what is switched on.",
    ),
    "proposal_operations": ("Proposal operations", "Proposals and versions that are made apart from the request."),
    "workflows": ("Inbox", "Items waiting for a person, and the actions on them."),
    "reasons": ("Reason codes", "The reasons that a decision may give."),
    "admin": ("Export", "An item with everything on it, for an auditor to verify."),
    "log": (
        "Transparency log",
        "Checkpoints of the tenant's log, its tiles, and proofs that need no trust in this deployment.",
    ),
    "studio": ("Studio", "Starting a review of a trace manually."),
    "events": ("Event log", "Appending events of any decision system."),
    "traces": ("Traces", "What happened on one trace, in one order."),
    "notifications": ("Notifications", "What an account was notified of."),
    "health": ("Health", "Whether the process is alive and ready."),
    "metrics": ("Metrics", "Metrics for a Prometheus server."),
    "openapi": ("This document", "The OpenAPI document itself."),
}


def part_of(endpoint: str) -> str:
    """Return the blueprint of a Flask endpoint without the prefix of its mount."""
    return MOUNT.sub("", endpoint.rpartition(".")[0])


def tag_of(part: str) -> str:
    """Return the name of a part's tag."""
    return TAGS[part][0] if part in TAGS else part.replace("_", " ").capitalize()


def tag_objects(parts: set[str]) -> list[dict[str, str]]:
    """Return the tags in use, in reading order; those without a description come last."""
    described = [{"name": tag, "description": text} for part, (tag, text) in TAGS.items() if part in parts]
    return described + [{"name": tag_of(part)} for part in sorted(parts - TAGS.keys())]
