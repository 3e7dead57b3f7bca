"""Which tables the migrations guard with triggers, and what the role of the application may do with each table.

Compared by the doctor with what is in the store; granted by migrations/grants.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from lotus_web.store.types import Base

# Rows are added and never change or go.
APPEND_ONLY = frozenset(
    {
        "dg_audit_records",
        "dg_event_log",
        "dg_log_checkpoints",
        "dg_log_cosignatures",
        "dg_log_keys",
        "dg_log_tiles",
        "dg_workflow_actions",
        "dg_workflow_notifications",
        "dpm_retention_log",
        "dpm_workflow_decisions",
        "proposal_approvals",
        "proposal_events",
        "proposal_versions",
    }
)
# Rows never change; retention removes them.
UNCHANGEABLE = frozenset(
    {"dpm_decision_evidence", "dpm_run_artifacts", "dpm_run_payloads", "proposal_documents", "proposal_keys"}
)
# Some columns never change; retention removes the rows.
PARTLY_UNCHANGEABLE = frozenset({"dpm_runs"})
# Some columns never change, or not backwards, and no row goes.
LASTING = frozenset({"dg_workflow_runtime"})
GUARDED = APPEND_ONLY | UNCHANGEABLE | PARTLY_UNCHANGEABLE | LASTING
MIGRATED_TO = "alembic_version"


def expected_triggers(dialect: str) -> Iterator[tuple[str, str]]:
    """Yield the table and the name of each trigger that the migrations make on ``dialect``."""
    for table in sorted(GUARDED):
        keeps = table in APPEND_ONLY | LASTING
        if dialect != "postgresql":
            kinds = ["no_update", "no_replace", *(["no_delete"] if keeps else [])]
        elif table in APPEND_ONLY:
            kinds = ["append_only", "no_truncate"]
        else:
            kinds = ["no_update", "no_truncate", *(["no_delete"] if keeps else [])]
        yield from ((table, f"{table}_{kind}") for kind in kinds)


def rights_of_application() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each table and what the role of the application needs to do with it: nothing that a guard refuses anyway."""
    yield MIGRATED_TO, ("SELECT",)
    for table in sorted(Base.metadata.tables):
        changes = ("UPDATE",) if table not in APPEND_ONLY | UNCHANGEABLE else ()
        removes = ("DELETE",) if table not in APPEND_ONLY | LASTING else ()
        yield table, ("SELECT", "INSERT", *changes, *removes)
