"""The parts of the run surface that a deployment switches on and off (dpm-api §2)."""

from __future__ import annotations

from lotus_web.api.routing import Feature

SUPPORT = Feature("support_apis_enabled", "DPM_SUPPORT_APIS_DISABLED")
SUMMARY = Feature("summary_apis_enabled", "DPM_SUPPORTABILITY_SUMMARY_APIS_DISABLED")
SUPPORT_BUNDLE = Feature("support_bundle_apis_enabled", "DPM_SUPPORT_BUNDLE_APIS_DISABLED")
ARTIFACTS = Feature("artifacts_enabled", "DPM_ARTIFACTS_DISABLED")
ASYNC_OPERATIONS = Feature("async_operations_enabled", "DPM_ASYNC_OPERATIONS_DISABLED")
ASYNC_MANUAL_EXECUTION = Feature("async_manual_execution_enabled", "DPM_ASYNC_MANUAL_EXECUTION_DISABLED")
WORKFLOW = Feature("workflow_enabled", "DPM_WORKFLOW_DISABLED")
LINEAGE = Feature("lineage_apis_enabled", "DPM_LINEAGE_APIS_DISABLED")
IDEMPOTENCY_HISTORY = Feature("idempotency_history_apis_enabled", "DPM_IDEMPOTENCY_HISTORY_APIS_DISABLED")
