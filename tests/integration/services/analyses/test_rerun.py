"""Running an operation again: the same request under a new name, linked to the one before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict, Forbidden, NotFound
from lotus_web.models import OperationPayload
from lotus_web.queries.lineage import LineageFilter, lineage_page
from lotus_web.services.analyses.rerun import run_again
from lotus_web.services.operations.submit import Accepted
from lotus_web.services.runs.record import pack
from lotus_web.store.session import db, transaction
from tests.support.analyses import TERMS, accept, told
from tests.support.histories import ADA, MARA, OFF, count

pytestmark = pytest.mark.usefixtures("session")


def again(operation_id: str, actor: Actor = ADA) -> Accepted:
    return run_again(
        operation_id, correlation_id="corr-again", actor=actor, policy=OFF, terms=TERMS, inline=True, clock=utcnow
    )


def test_the_new_operation_has_the_same_request_and_an_edge_to_the_old_one() -> None:
    old = accept(inline=True).operation_id
    new = again(old)
    assert told(new.operation_id).row.status == "SUCCEEDED"
    assert (new.correlation_id, told(new.operation_id).row.submitted_by) == ("corr-again", ADA.actor_id)
    packed = {one: db.session.get_one(OperationPayload, ("default", one)).request for one in (old, new.operation_id)}
    assert packed[old] == packed[new.operation_id]
    edges = lineage_page(db.session(), "default", old, LineageFilter("REPLAYED_FROM"), limit=10).edges
    assert [edge.ends for edge in edges] == [(("operation", new.operation_id), ("operation", old))]


def test_what_has_not_ended_is_not_run_again() -> None:
    waiting = accept().operation_id
    with pytest.raises(Conflict, match="has not ended"):
        again(waiting)
    assert count("dpm_operations") == 1


def test_who_may_not_record_runs_may_not_run_an_operation_again() -> None:
    old = accept(inline=True).operation_id
    with pytest.raises(Forbidden, match="runs_write"):
        again(old, MARA)


def test_another_tenants_operation_does_not_exist() -> None:
    old = accept(inline=True).operation_id
    with pytest.raises(NotFound):
        again(old, replace(ADA, tenant_id="zurich"))
    with pytest.raises(NotFound):
        again("dop_none")


def test_a_request_that_this_version_does_not_take_is_a_conflict() -> None:
    old = accept(inline=True).operation_id
    with transaction() as session:
        session.execute(text("UPDATE dpm_operation_payloads SET request = :bytes"), {"bytes": pack({"scenarios": {}})})
    with pytest.raises(Conflict) as refused:
        again(old)
    assert refused.value.code == "DPM_ASYNC_OPERATION_NOT_REPEATABLE"
