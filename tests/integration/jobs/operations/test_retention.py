"""A finished operation goes with the edges that name it, at whichever end; the preview counts each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from lotus_web.config.settings import Settings
from lotus_web.domain.errors import NotFound
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.jobs import retention
from lotus_web.jobs.context import JobContext
from lotus_web.queries.support.summary import counted
from lotus_web.services.analyses import rerun
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.analyses.rerun import run_again
from lotus_web.services.lineage import add_edge
from lotus_web.services.support import recount
from lotus_web.store.session import db, transaction
from tests.integration.jobs.retention.test_retention import purge
from tests.support.analyses import TERMS, accept, batch, ticking
from tests.support.histories import FEED, NOW, OFF, count

pytestmark = [pytest.mark.usefixtures("session"), pytest.mark.environ(DPM_ASYNC_OPERATIONS_TTL_SECONDS="3600")]
SOON = NOW + timedelta(hours=2)
ONE = {"one": {"options": {}}}
# The edges of an operation with one scenario: to its correlation id, and from its run.
OWN = 2


@pytest.fixture
def job(environ: dict[str, str]) -> JobContext:
    return JobContext(Settings(environ))


@pytest.fixture(autouse=True)
def _counters_stay_true(session: Any) -> Iterator[None]:
    yield
    db.session.rollback()
    assert counted(db.session(), "default") == recount(db.session(), "default")


def operated(hours: int = 0, correlation_id: str = "corr-desk") -> str:
    """Carry out an operation that ends so many hours after NOW and return its id."""
    clock = ticking(NOW + timedelta(hours=hours))
    return accept(ONE, inline=True, correlation_id=correlation_id, clock=clock).operation_id


def again(operation_id: str, hours: int) -> str:
    return run_again(
        operation_id,
        correlation_id="corr-again",
        actor=FEED,
        policy=OFF,
        terms=TERMS,
        inline=True,
        clock=ticking(NOW + timedelta(hours=hours)),
    ).operation_id


def edges() -> set[tuple[str, str, str]]:
    query = "SELECT source_entity_id, edge_type, target_entity_id FROM dpm_lineage_edges"
    return {tuple(row) for row in db.session.execute(text(query))}


def test_an_operation_takes_its_edges_along_and_its_run_keeps_its_own(job: JobContext) -> None:
    operation_id = operated()
    assert purge(job, SOON) == {"edges": OWN, "operations": 1}
    assert not [edge for edge in edges() if operation_id in edge]
    assert {edge_type for _, edge_type, _ in edges()} == {"CORRELATION_TO_RUN", "DERIVED_FROM"}
    assert count("dpm_runs") == 1


def test_the_edge_between_an_operation_and_the_one_before_goes_with_whichever_goes_first(job: JobContext) -> None:
    first = operated()
    second = again(first, hours=3)
    assert purge(job, SOON) == {"edges": OWN + 1, "operations": 1}
    left = sorted(edge_type for source, edge_type, target in edges() if second in (source, target))
    assert left == ["CAUSED_BY", "OPERATION_TO_CORRELATION"]


def test_the_edge_between_two_operations_that_go_together_is_counted_once(job: JobContext) -> None:
    again(operated(), hours=0)
    assert purge(job, SOON) == {"edges": 2 * OWN + 1, "operations": 2}


@pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="30")
def test_the_edge_between_a_run_and_its_operation_that_go_together_is_counted_once(job: JobContext) -> None:
    operated()
    operated(hours=24, correlation_id="corr-young")
    done = purge(job, NOW + timedelta(days=30, hours=1))
    # Of the older one all that there is; of the younger one, whose run is not old enough, the operation's own.
    assert (done["runs"], done["operations"], done["edges"]) == (1, 2, 4 + OWN)
    assert {edge_type for _, edge_type, _ in edges()} == {"CORRELATION_TO_RUN", "DERIVED_FROM"}
    assert len(edges()) == 2


def test_what_has_the_same_name_and_is_no_operation_keeps_its_edges(job: JobContext) -> None:
    operation_id = operated()
    ends = (EntityKind.CORRELATION, operation_id), (EntityKind.RUN, "rr_other")
    with transaction() as session:
        add_edge(session, EdgeType.CORRELATION_TO_RUN, *ends, tenant_id="default", now=NOW)
        add_edge(
            session, EdgeType.CAUSED_BY, ends[1], (EntityKind.OPERATION, operation_id), tenant_id="zurich", now=NOW
        )
    assert purge(job, SOON) == {"edges": OWN, "operations": 1}
    assert {edge for edge in edges() if operation_id in edge} == {
        (operation_id, "CORRELATION_TO_RUN", "rr_other"),
        ("rr_other", "CAUSED_BY", operation_id),
    }


def test_batches_of_many_tenants_add_up_to_the_preview(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "FIRST_BATCH", 15)
    monkeypatch.setattr(retention, "next_batch_size", lambda size, _seconds: size)
    for number in range(5):
        submit_analysis(
            batch(ONE),
            correlation_id=f"corr-{number}",
            actor=replace(FEED, tenant_id=("default", "zurich")[number % 2]),
            policy=OFF,
            terms=TERMS,
            inline=True,
            clock=ticking(NOW),
        )
    assert purge(job, SOON) == {"edges": 5 * OWN, "operations": 5}
    assert count("dpm_operations") == count("dpm_operation_payloads") == count("dpm_operation_steps") == 0
    assert count("dpm_retention_log", "entry_type = 'OPERATION_PURGED'") == 5
    assert counted(db.session(), "zurich") == recount(db.session(), "zurich")


def test_an_operation_that_goes_while_one_runs_it_again_is_not_found(
    job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation_id = operated()

    def submit_too_late(*given: Any, **named: Any) -> Any:
        retention.purge(job, SOON)
        return submit_analysis(*given, **named)

    monkeypatch.setattr(rerun, "submit_analysis", submit_too_late)
    with pytest.raises(NotFound):
        again(operation_id, hours=0)
    assert count("dpm_operations") == 0
    assert not [edge for edge in edges() if operation_id in edge]
