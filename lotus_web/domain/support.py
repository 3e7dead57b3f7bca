"""What a store keeps count of, so that a summary need not (dpm-api §9.2)."""

from __future__ import annotations

from enum import StrEnum


class Counter(StrEnum):
    """What is counted, each by one of its values: status, state, action, reason code or type of edge."""

    RUNS = "runs"
    OPERATIONS = "operations"
    DECISION_ACTIONS = "decision_actions"
    DECISION_REASONS = "decision_reasons"
    EDGES = "edges"
    PROPOSALS = "proposals"
