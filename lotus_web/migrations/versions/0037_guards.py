"""Guards for payloads, for what a run is and for the end of a log; on SQLite, none is passed by INSERT OR REPLACE."""

from __future__ import annotations

from lotus_web.migrations.append_only import (
    drop_trigger,
    make_unchangeable,
    refuse_delete,
    refuse_replace,
    refuse_truncate,
    refuse_update_when,
)

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

PAYLOADS = ("dpm_run_payloads", "dpm_run_artifacts")
RUNS = "dpm_runs"
# All of a run but its legal hold, which moves.
OF_A_RUN = (
    "tenant_id",
    "rebalance_run_id",
    "correlation_id",
    "request_hash",
    "idempotency_key",
    "portfolio_id",
    "status",
    "created_at",
    "engine_version",
    "artifact_hash",
    "submitted_by",
    "acted_by",
)
RUNTIME = "dg_workflow_runtime"
BACKWARDS = (
    "NEW.tenant_id {differs} OLD.tenant_id OR NEW.last_log_seq < OLD.last_log_seq OR NEW.entry_count < OLD.entry_count"
    " OR (NEW.head_hash {differs} OLD.head_hash AND NEW.entry_count = OLD.entry_count)"
)
NEVER_TRUNCATED = (*PAYLOADS, RUNS, RUNTIME, "proposal_documents", "proposal_keys", "dpm_decision_evidence")
RUN = (("tenant_id", "rebalance_run_id"),)
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "dg_audit_records": (("audit_seq",), ("tenant_id", "record_id")),
    "dg_event_log": (
        ("log_seq",),
        ("tenant_id", "event_id"),
        ("tenant_id", "trace_id", "trace_seq"),
        ("tenant_id", "producer_id", "idempotency_key"),
    ),
    "dg_workflow_actions": (("action_seq",), ("tenant_id", "action_id")),
    "dpm_retention_log": (("entry_id",),),
    RUNS: RUN,
    "dpm_run_artifacts": RUN,
    "dpm_run_payloads": RUN,
    "dpm_workflow_decisions": (("decision_seq",), ("tenant_id", "decision_id")),
    "proposal_approvals": (
        ("approval_seq",),
        ("tenant_id", "approval_id"),
        ("tenant_id", "proposal_id", "related_version_no", "approval_type"),
        ("tenant_id", "event_id"),
    ),
    "proposal_documents": (("tenant_id", "proposal_id", "version_no"),),
    "proposal_events": (("event_seq",), ("tenant_id", "event_id")),
    "proposal_keys": (("tenant_id", "scope", "idempotency_key"),),
    "proposal_versions": (("tenant_id", "proposal_id", "version_no"), ("tenant_id", "proposal_version_id")),
}
# Those into which the application inserts with ON CONFLICT DO NOTHING.
SKIPPED: dict[str, tuple[tuple[str, ...], ...]] = {
    "dg_log_checkpoints": (("checkpoint_seq",), ("tenant_id", "tree_size")),
    "dg_log_cosignatures": (("cosignature_seq",), ("tenant_id", "tree_size", "witness")),
    "dg_log_keys": (("key_seq",), ("public_key",)),
    "dg_log_tiles": (("tenant_id", "level", "tile_index"),),
    RUNTIME: (("tenant_id",),),
    "dg_workflow_notifications": (
        ("notification_seq",),
        ("tenant_id", "notification_id"),
        ("tenant_id", "dedupe_key"),
    ),
    "dpm_decision_evidence": (("tenant_id", "digest"),),
}


def upgrade() -> None:
    for table in PAYLOADS:
        make_unchangeable(table)
    refuse_update_when(RUNS, " OR ".join(f"NEW.{name} {{differs}} OLD.{name}" for name in OF_A_RUN))
    refuse_update_when(RUNTIME, BACKWARDS)
    refuse_delete(RUNTIME)
    for table in NEVER_TRUNCATED:
        refuse_truncate(table)
    for table, keys in KEYS.items():
        refuse_replace(table, keys)
    for table, keys in SKIPPED.items():
        refuse_replace(table, keys, skips=True)


def downgrade() -> None:
    for table in (*KEYS, *SKIPPED):
        drop_trigger(table, "no_replace")
    for table in NEVER_TRUNCATED:
        drop_trigger(table, "no_truncate")
    for table in (*PAYLOADS, RUNS, RUNTIME):
        drop_trigger(table, "no_update")
    drop_trigger(RUNTIME, "no_delete")
