"""The features that a deployment can switch on and off while it runs (dpm-api §2): one table for routes, pages and the API document."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.config import current
from lotus_web.domain.proposals.refusals import LIFECYCLE_OFF


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature: the attribute of Settings that switches it, and the error code and message while it is off."""

    setting: str
    code: str
    when_off: str

    @property
    def is_on(self) -> bool:
        """Whether the feature is on now."""
        return bool(getattr(current.settings(), self.setting))


SUPPORT = Feature("support_apis_enabled", "DPM_SUPPORT_APIS_DISABLED", "Support pages are switched off")
SUMMARY = Feature(
    "summary_apis_enabled", "DPM_SUPPORTABILITY_SUMMARY_APIS_DISABLED", "The summary of the store is switched off"
)
SUPPORT_BUNDLE = Feature(
    "support_bundle_apis_enabled", "DPM_SUPPORT_BUNDLE_APIS_DISABLED", "Support bundles are switched off"
)
ARTIFACTS = Feature("artifacts_enabled", "DPM_ARTIFACTS_DISABLED", "Artifacts are switched off")
ASYNC_OPERATIONS = Feature("async_operations_enabled", "DPM_ASYNC_OPERATIONS_DISABLED", "Operations are switched off")
ASYNC_MANUAL_EXECUTION = Feature(
    "async_manual_execution_enabled",
    "DPM_ASYNC_MANUAL_EXECUTION_DISABLED",
    "Manual execution of operations is switched off",
)
WORKFLOW = Feature("workflow_enabled", "DPM_WORKFLOW_DISABLED", "Reviews of runs are switched off")
LINEAGE = Feature("lineage_apis_enabled", "DPM_LINEAGE_APIS_DISABLED", "Lineage is switched off")
IDEMPOTENCY_HISTORY = Feature(
    "idempotency_history_apis_enabled",
    "DPM_IDEMPOTENCY_HISTORY_APIS_DISABLED",
    "The history of idempotency keys is switched off",
)
PROPOSALS = Feature("proposal_lifecycle_enabled", "PROPOSAL_WORKFLOW_LIFECYCLE_DISABLED", LIFECYCLE_OFF)
PROPOSAL_SUPPORT = Feature(
    "proposal_support_apis_enabled", "PROPOSAL_SUPPORT_APIS_DISABLED", "Support pages of proposals are switched off"
)
PROPOSAL_ASYNC_OPERATIONS = Feature(
    "proposal_async_operations_enabled",
    "PROPOSAL_ASYNC_OPERATIONS_DISABLED",
    "Operations on proposals are switched off",
)
