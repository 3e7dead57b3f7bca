"""Lineage: both directions, filters, pages that lose nothing, and walks of up to five steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, text

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.models import LineageEdge
from lotus_web.queries import lineage
from lotus_web.queries.lineage import EdgeRow, LineageFilter, LineagePage, lineage_page
from lotus_web.services.lineage import add_edge
from lotus_web.store.session import db, transaction
from tests.support.analyses import accept
from tests.support.histories import NOW, OFF, decide, record

pytestmark = pytest.mark.usefixtures("session")
ANY = LineageFilter()
RUN, CORRELATION, KEY = EntityKind.RUN, EntityKind.CORRELATION, EntityKind.IDEMPOTENCY_KEY


def link(
    source: tuple[EntityKind, str],
    edge_type: EdgeType,
    target: tuple[EntityKind, str],
    at: datetime = NOW,
    tenant_id: str = "default",
) -> None:
    with transaction() as session:
        add_edge(session, edge_type, source, target, tenant_id=tenant_id, now=at)


def page(entity_id: str, wanted: LineageFilter = ANY, *, limit: int = 50, **more: object) -> LineagePage:
    db.session.rollback()
    return lineage_page(db.session(), "default", entity_id, wanted, limit=limit, **more)  # type: ignore[arg-type]


def walked(entity_id: str, wanted: LineageFilter = ANY, *, limit: int, depth: int = 1) -> list[EdgeRow]:
    found: list[EdgeRow] = []
    cursor: str | None = None
    while True:
        one = page(entity_id, wanted, limit=limit, cursor=cursor, depth=depth)
        found += one.edges
        if one.next_cursor is None:
            return found
        assert len(one.edges) == limit
        cursor = one.next_cursor


def test_an_unknown_id_has_no_edges() -> None:
    assert page("nobody") == LineagePage("nobody", 1, (), None)


def test_edges_are_found_from_either_end_with_the_kinds_of_both() -> None:
    with transaction() as session:
        run = record(session, 1, policy=OFF)
    for entity_id in ("corr-1", run.rebalance_run_id):
        (edge,) = page(entity_id).edges
        assert edge.ends == (("correlation", "corr-1"), ("run", run.rebalance_run_id))
        assert edge.metadata == {"request_hash": run.request_hash}


def test_a_type_is_asked_for_in_any_case_and_an_unknown_one_matches_nothing() -> None:
    with transaction() as session:
        record(session, 1)
        decide(session, 1, GateAction.APPROVE)
    run_id = "rr_00000001"
    assert len(page(run_id).edges) == 2
    for spelling in ("DECIDED_BY", "decided_by", "Decided_By"):
        assert [edge.edge_type for edge in page(run_id, LineageFilter(spelling)).edges] == ["DECIDED_BY"]
    assert page(run_id, LineageFilter("NO_SUCH_TYPE")).edges == ()


def test_bounds_are_inclusive_instants() -> None:
    for hour in range(4):
        link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, f"rr_{hour}"), NOW + timedelta(hours=hour))
    zoned = (NOW + timedelta(hours=1)).astimezone(UTC)
    found = page("key", LineageFilter(None, zoned, NOW + timedelta(hours=2))).edges
    assert [edge.target_entity_id for edge in found] == ["rr_1", "rr_2"]


def test_edges_of_one_instant_are_paged_without_loss_or_repetition() -> None:
    for _ in range(3):
        link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, "rr_same"))
    link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (KEY, "key"))
    link((RUN, "rr_other"), EdgeType.REPLAYED_FROM, (KEY, "key"))
    for limit in (1, 2, 3, 5):
        found = walked("key", limit=limit)
        assert len({edge.edge_id for edge in found}) == len(found) == 5
        places = [
            (edge.created_at, edge.source_entity_id, edge.edge_type, edge.target_entity_id, edge.edge_id)
            for edge in found
        ]
        assert places == sorted(places)


def test_edges_that_come_while_pages_are_read_are_read_too_and_none_is_lost() -> None:
    for number in range(6):
        link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, f"rr_{number}"), NOW + timedelta(seconds=number))
    first = page("key", limit=2)
    link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, "rr_late"), NOW + timedelta(hours=1))
    with transaction() as session:
        session.execute(text("DELETE FROM dpm_lineage_edges WHERE target_entity_id = 'rr_1'"))
    rest = page("key", limit=50, cursor=first.next_cursor)
    assert [edge.target_entity_id for edge in rest.edges] == ["rr_2", "rr_3", "rr_4", "rr_5", "rr_late"]


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        page("key", cursor="bm90IG91cnM")
    assert refusal.value.code == "INVALID_CURSOR"


def test_another_tenant_sees_nothing() -> None:
    link((KEY, "key"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, "rr_1"), tenant_id="another")
    assert page("key").edges == ()


def test_from_an_operation_a_walk_reaches_its_runs_and_their_decisions() -> None:
    accepted = accept({"one": {"options": {}}, "two": {"options": {}}}, inline=True)
    near = page(accepted.operation_id)
    assert {edge.edge_type for edge in near.edges} == {"OPERATION_TO_CORRELATION", "CAUSED_BY"}
    far = page(accepted.operation_id, depth=2)
    assert len(far.edges) == 7
    assert {edge.edge_type for edge in far.edges} >= {"DERIVED_FROM", "CORRELATION_TO_RUN"}
    only = page(accepted.operation_id, LineageFilter("derived_from"), depth=2)
    assert [edge.edge_type for edge in only.edges] == ["DERIVED_FROM", "DERIVED_FROM"]
    assert [edge.edge_id for edge in walked(accepted.operation_id, limit=2, depth=2)] == [
        edge.edge_id for edge in far.edges
    ]


def test_a_walk_goes_exactly_as_far_as_it_is_told() -> None:
    for number in range(8):
        link((RUN, f"rr_{number + 1}"), EdgeType.REPLAYED_FROM, (RUN, f"rr_{number}"))
    for depth in range(1, 6):
        found = page("rr_0", depth=depth)
        assert len(found.edges) == depth
        assert not found.truncated


def test_a_walk_ends_in_a_circle() -> None:
    link((RUN, "rr_1"), EdgeType.REPLAYED_FROM, (RUN, "rr_2"))
    link((RUN, "rr_2"), EdgeType.REPLAYED_FROM, (RUN, "rr_1"))
    assert len(page("rr_1", depth=5).edges) == 2


def test_a_walk_does_not_confuse_a_key_with_a_correlation_of_the_same_name() -> None:
    link((CORRELATION, "same"), EdgeType.CORRELATION_TO_RUN, (RUN, "rr_1"))
    link((KEY, "same"), EdgeType.IDEMPOTENCY_TO_RUN, (RUN, "rr_2"))
    assert {edge.target_entity_id for edge in page("rr_1", depth=3).edges} == {"rr_1"}
    assert {edge.target_entity_id for edge in page("same").edges} == {"rr_1", "rr_2"}


def test_a_walk_into_the_thick_of_it_is_cut_and_says_so() -> None:
    rows = [
        {
            "tenant_id": "default",
            "source_entity_id": "key",
            "source_kind": "idempotency_key",
            "edge_type": "IDEMPOTENCY_TO_RUN",
            "target_entity_id": f"rr_{number}",
            "target_kind": "run",
            "created_at": NOW,
            "details": {},
        }
        for number in range(lineage.EDGES_WALKED + 500)
    ]
    with transaction() as session:
        session.execute(insert(LineageEdge), rows)
    far = page("rr_7", depth=3, limit=200)
    assert far.truncated
    assert len(walked("rr_7", limit=200, depth=3)) == lineage.EDGES_WALKED
    assert not page("rr_7").truncated
    assert len(walked("key", limit=200)) == len(rows)


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """The plan of every SELECT on edges that runs during the test, on a store with enough rows to make a scan hurt."""
    seen: list[str] = []
    engine = db.engine

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT") and "dpm_lineage_edges" in statement:
            word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
            raw = db.session.connection().connection.cursor()
            raw.execute(f"{word} {statement}", parameters)
            seen.extend(" ".join(map(str, row)) for row in raw.fetchall())
            raw.close()

    event.listen(engine, "before_cursor_execute", explain)
    yield seen
    event.remove(engine, "before_cursor_execute", explain)


def test_one_step_and_a_walk_are_key_look_ups(plans: list[str]) -> None:
    fill(20_000)
    page("corr-17", limit=50)
    page("corr-17", LineageFilter("correlation_to_run", NOW, NOW + timedelta(days=9)), limit=50)
    cursor = page("hub", limit=50).next_cursor
    page("hub", limit=50, cursor=cursor)
    page("corr-17", depth=3)
    assert plans
    scans = [line for line in plans if "SCAN" in line.upper() and "INDEX" not in line.upper()]
    assert scans == []


def fill(number: int) -> None:
    """Write many edges past the services."""
    rows = [
        {
            "tenant_id": "default",
            "source_entity_id": "hub" if one % 10 == 0 else f"corr-{one}",
            "source_kind": "correlation",
            "edge_type": "CORRELATION_TO_RUN",
            "target_entity_id": f"rr_{one}",
            "target_kind": "run",
            "created_at": NOW + timedelta(seconds=one),
            "details": {},
        }
        for one in range(number)
    ]
    with transaction() as session:
        session.execute(insert(LineageEdge), rows)
        session.execute(text("ANALYZE dpm_lineage_edges"))
