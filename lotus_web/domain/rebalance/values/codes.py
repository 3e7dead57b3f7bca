"""The closed vocabularies of the engine: every enum that a request or a result carries (engine §1, §2)."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """The outcome of a run; all three are answers, none is an error."""

    READY = "READY"
    PENDING_REVIEW = "PENDING_REVIEW"
    BLOCKED = "BLOCKED"


class ShelfStatus(StrEnum):
    """What the shelf allows for an instrument."""

    APPROVED = "APPROVED"
    RESTRICTED = "RESTRICTED"
    BANNED = "BANNED"
    SUSPENDED = "SUSPENDED"
    SELL_ONLY = "SELL_ONLY"


class ValuationMode(StrEnum):
    """Where a position's value comes from: quantity times price, or the snapshot's own figure."""

    CALCULATED = "CALCULATED"
    TRUST_SNAPSHOT = "TRUST_SNAPSHOT"


class TargetMethod(StrEnum):
    """How target weights are computed."""

    HEURISTIC = "HEURISTIC"
    SOLVER = "SOLVER"


class Side(StrEnum):
    """The direction of a security trade."""

    BUY = "BUY"
    SELL = "SELL"


class RuleSeverity(StrEnum):
    """The severity of a failing rule: HARD blocks, SOFT requires a review."""

    HARD = "HARD"
    SOFT = "SOFT"
    INFO = "INFO"


class RuleStatus(StrEnum):
    """Whether a rule passed."""

    PASS = "PASS"
    FAIL = "FAIL"


class Tag(StrEnum):
    """Why a target's final weight differs from, or is absent from, the model."""

    CAPPED = "CAPPED_BY_MAX_WEIGHT"
    RECIPIENT = "REDISTRIBUTED_RECIPIENT"
    SOLD_OUT = "IMPLICIT_SELL_TO_ZERO"
    LOCKED = "LOCKED_POSITION"


class EventStatus(StrEnum):
    """What a group constraint did."""

    CAPPED = "CAPPED"
    BLOCKED = "BLOCKED"


class ReconciliationStatus(StrEnum):
    """Whether the value before and after agree within tolerance."""

    OK = "OK"
    MISMATCH = "MISMATCH"


class Gate(StrEnum):
    """What a run needs before execution; NONE is part of the vocabulary and never produced."""

    BLOCKED = "BLOCKED"
    COMPLIANCE_REVIEW_REQUIRED = "COMPLIANCE_REVIEW_REQUIRED"
    RISK_REVIEW_REQUIRED = "RISK_REVIEW_REQUIRED"
    CLIENT_CONSENT_REQUIRED = "CLIENT_CONSENT_REQUIRED"
    EXECUTION_READY = "EXECUTION_READY"
    NONE = "NONE"


class NextStep(StrEnum):
    """What should happen next for a gate."""

    FIX_INPUT = "FIX_INPUT"
    COMPLIANCE_REVIEW = "COMPLIANCE_REVIEW"
    RISK_REVIEW = "RISK_REVIEW"
    REQUEST_CLIENT_CONSENT = "REQUEST_CLIENT_CONSENT"
    EXECUTE = "EXECUTE"
    NONE = "NONE"


class ReasonSeverity(StrEnum):
    """The severity of a gate reason."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class ReasonSource(StrEnum):
    """Which check raised a gate reason."""

    RULE_ENGINE = "RULE_ENGINE"
    SUITABILITY = "SUITABILITY"
    DATA_QUALITY = "DATA_QUALITY"
