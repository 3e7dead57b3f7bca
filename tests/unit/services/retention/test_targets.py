"""No table with rows of a run, an operation or a proposal is forgotten by retention: it is in the table of purges or kept for a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Column, MetaData, String, Table

from lotus_web.services.retention.targets import OPERATIONS, PROPOSALS, RUNS, SIMULATIONS
from lotus_web.store.types import Base

KINDS = (RUNS, OPERATIONS, PROPOSALS, SIMULATIONS)
# Columns that hold the id of a run, an operation or a proposal, or of anything.
NAMES_AN_OWNER = re.compile(r"(^|_)(run|operation|proposal|entity)_id$")
KEPT = {
    "dpm_workflow_decisions.run_id": "the proof of a decision outlives its run; the store refuses its DELETE",
    "dg_workflow_items.rebalance_run_id": "a decided item is part of the audit trail; an open one keeps its run",
    "dpm_retention_log.entity_id": "the log of what was purged or held; the store refuses its DELETE",
    "proposal_simulations.proposal_run_id": "names what was simulated; the simulation goes by its own key",
    "proposal_versions.proposal_id": "the hashes of a version outlive it; the store refuses its DELETE",
    "proposal_events.proposal_id": "what happened to a proposal outlives it; the store refuses its DELETE",
    "proposal_approvals.proposal_id": "the proof of an approval outlives its proposal; the store refuses its DELETE",
    "dpm_operation_steps.rebalance_run_id": "goes with its operation, and says until then what became of the step",
}


def owned(metadata: MetaData) -> Iterator[str]:
    for table in metadata.tables.values():
        yield from (f"{table.name}.{column.name}" for column in table.columns if NAMES_AN_OWNER.search(column.name))


def purged() -> set[str]:
    columns = [dependents.id_column for kind in KINDS for dependents in kind.dependents]
    columns = [column for column in columns if NAMES_AN_OWNER.search(column.expression.name)]
    return {f"{column.class_.__tablename__}.{column.expression.name}" for column in columns}


def test_each_table_is_purged_with_its_owner_or_kept_for_a_reason() -> None:
    assert set(owned(Base.metadata)) == purged() | KEPT.keys()
    assert purged().isdisjoint(KEPT)


def test_a_new_table_of_runs_would_be_found() -> None:
    metadata = MetaData()
    Table("dpm_run_comments", metadata, Column("rebalance_run_id", String), Column("text", String))
    Table("dg_proposals", metadata, Column("proposal_id", String), Column("operation_id", String))
    assert set(owned(metadata)) == {
        "dpm_run_comments.rebalance_run_id",
        "dg_proposals.operation_id",
        "dg_proposals.proposal_id",
    }


def test_what_has_no_bound_is_removed_in_chunks_by_its_primary_key() -> None:
    for kind in KINDS:
        for dependents in kind.dependents:
            if dependents.newest_first:
                key = dependents.newest_first[-1]
                assert [column.name for column in dependents.model.__table__.primary_key] == [key.expression.name]
                assert dependents.reported_as


def test_the_thing_itself_goes_too_and_only_once() -> None:
    for kind in KINDS:
        assert [one.single for one in kind.dependents if one.id_column is kind.id_column] == [True]
