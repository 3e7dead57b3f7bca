"""What the control plane's reads cost among many items: a fixed number of queries, each through an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from lotus_web.domain.access import Role
from lotus_web.domain.surface import Surface
from lotus_web.models import WorkflowItem
from lotus_web.queries.audit.explorer import AuditFilter, audit_page
from lotus_web.queries.decisions.reasons import reason_report
from lotus_web.queries.inbox.counts import inbox_counts, workflow_summary
from lotus_web.queries.inbox.escalated import escalated_items
from lotus_web.queries.inbox.filter import InboxFilter, Tab, WorkflowFilter
from lotus_web.queries.inbox.listing import open_items as inbox_items
from lotus_web.queries.inbox.listing import workflow_page
from lotus_web.queries.items.precedents import SHOWN, find_precedents
from lotus_web.queries.notifications import notification_page, unread_count
from lotus_web.queries.sla.board import sla_board
from lotus_web.services.command import CommandContext
from lotus_web.services.items.claims import expired_claims
from lotus_web.services.items.next_item import claim_next_item
from lotus_web.store.session import db, transaction
from tests.contract.rows import add_items
from tests.support.events import NOON, POLICY, open_items, person

NOW = NOON + timedelta(hours=1)
NORA = person("nora", Role.REVIEWER)
MANY = 6_000
# The partial indexes that hold open items only.
OF_OPEN = ("inbox", "due", "to_warn", "to_escalate")
CLOSED = text(
    "UPDATE dg_workflow_items SET status = 'approved', current_decision = 'approved', resolved_at = requested_at,"
    " precedent_key = 'sha256:' || (last_source_log_seq % 50), portfolio_id = 'pf-' || (last_source_log_seq % 200)"
    " WHERE last_source_log_seq >= 50"
)

# Every role notice of a tenant that has been told thousands of things: all but a few are of closed items.
TOLD = text(
    "INSERT INTO dg_workflow_notifications (notification_id, tenant_id, workflow_id, trace_id, category, channel, status,"
    " message, recipient_role, payload, dedupe_key, created_at)"
    " SELECT 'ntf_' || workflow_id, tenant_id, workflow_id, trace_id, 'escalation', 'operator_console', 'delivered',"
    " title, 'reviewer', '{}', workflow_id, requested_at FROM dg_workflow_items ORDER BY resolved_at IS NULL, workflow_id"
)


def fill(app: Flask) -> None:
    """Store thousands of closed items and some open ones."""
    add_items(app, MANY, start=NOON)
    with app.app_context(), transaction() as session:
        session.execute(CLOSED)
    open_items(app, [f"t{number}" for number in range(20)], at=NOON)


pytestmark = pytest.mark.filled(by=fill)


@pytest.fixture(params=["counted", "uncounted"])
def crowded(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """Thousands of closed items and some open ones, with and without the statistics that a store keeps of them."""
    with app.app_context():
        if request.param == "counted":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        yield


@contextmanager
def noted() -> Iterator[list[tuple[str, Any]]]:
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def plan_of(statement: str, parameters: Any) -> str:
    postgres = db.engine.dialect.name == "postgresql"
    with db.engine.connect() as connection:
        if postgres:
            connection.exec_driver_sql("SET enable_seqscan = off")
        rows = connection.exec_driver_sql(
            ("EXPLAIN " if postgres else "EXPLAIN QUERY PLAN ") + statement, parameters
        ).all()
        connection.rollback()
    return "\n".join(str(row[-1]) for row in rows)


def everything(**how: Any) -> WorkflowFilter:
    return WorkflowFilter(only_open=False, **how)


Read = Callable[[Session], object]
READS: dict[str, tuple[int, Read]] = {
    "open list": (
        1,
        lambda s: workflow_page(s, "default", WorkflowFilter(), now=NOW, soon_minutes=30, limit=12),
    ),
    "inbox": (
        2,
        lambda s: inbox_items(s, InboxFilter(), Tab.OPEN, actor=NORA, now=NOW, soon_minutes=30, limit=50),
    ),
    "whole list": (1, lambda s: workflow_page(s, "default", everything(), now=NOW, soon_minutes=30, limit=12)),
    "whole list by text": (
        4,
        lambda s: workflow_page(
            s, "default", everything(criteria=InboxFilter(text="nothing")), now=NOW, soon_minutes=30, limit=12
        ),
    ),
    "list of a trace": (
        3,
        lambda s: workflow_page(s, "default", everything(trace_id="corr-70"), now=NOW, soon_minutes=30, limit=12),
    ),
    "summary": (1, lambda s: workflow_summary(s, "default", WorkflowFilter(), now=NOW, soon_minutes=30)),
    "counts": (2, lambda s: inbox_counts(s, InboxFilter(), actor=NORA, now=NOW, soon_minutes=30)),
    "counts with a day's escalations": (
        2,
        lambda s: inbox_counts(s, InboxFilter(escalated=NOW.date()), actor=NORA, now=NOW, soon_minutes=30),
    ),
    "escalated on a day": (
        1,
        lambda s: escalated_items(s, InboxFilter(escalated=NOW.date()), actor=NORA, now=NOW, soon_minutes=30, limit=50),
    ),
    "precedents": (
        3,
        lambda s: find_precedents(
            s, "default", key="sha256:rare", portfolio_id="pf-7", before=NOW, besides="corr-7:exception:rr_000007"
        ),
    ),
    "precedents by their rules": (
        3,
        lambda s: find_precedents(s, "default", key="sha256:7", portfolio_id=None, before=NOW, besides=None),
    ),
    "board": (4, lambda s: sla_board(s, "default", now=NOW, soon_minutes=30)),
    "reasons": (5, lambda s: reason_report(s, "default", since=NOON, until=NOW)),
    "record": (3, lambda s: audit_page(s, "default", AuditFilter(), limit=50)),
    "record of one kind": (6, lambda s: audit_page(s, "default", AuditFilter(kind="claim"), limit=50)),
    "notifications": (3, lambda s: notification_page(s, NORA, limit=50)),
    "bell": (1, lambda s: unread_count(s, NORA)),
    "expired claims": (2, lambda s: expired_claims(s, now=NOW, lease=timedelta(minutes=30), limit=200)),
}


def test_reads_take_a_fixed_number_of_queries_through_indexes(crowded: None) -> None:
    for name, (queries, read) in READS.items():
        with noted() as sent:
            read(db.session())
        db.session.rollback()
        assert (name, len(sent)) == (name, queries)
        for statement, parameters in sent:
            plan = plan_of(statement, parameters)
            walked = [line for line in plan.splitlines() if "SCAN dg_" in line or "Seq Scan on dg_" in line]
            assert [line for line in walked if "USING" not in line and "dg_workflow_runtime" not in line] == [], plan


@pytest.mark.stores("sqlite")
def test_open_items_are_read_from_the_index_of_open_items(crowded: None) -> None:
    for name in ("open list", "inbox", "summary", "board", "counts"):
        with noted() as sent:
            READS[name][1](db.session())
        db.session.rollback()
        about_open = [pair for pair in sent if "resolved_at IS NULL" in pair[0]]
        assert about_open
        for statement, parameters in about_open:
            plan = plan_of(statement, parameters)
            assert any(f"ix_dg_workflow_items_{index}" in plan for index in OF_OPEN), plan


def test_the_bell_reads_the_newest_of_a_role_and_their_items_by_key(crowded: None) -> None:
    with transaction() as session:
        session.execute(TOLD)
        still_open = session.scalar(text("SELECT count(*) FROM dg_workflow_items WHERE resolved_at IS NULL"))
    with noted() as sent:
        assert unread_count(db.session(), NORA) == still_open
    db.session.rollback()
    ((statement, parameters),) = sent
    plan = plan_of(statement, parameters)
    # Where nearly everything was told to one role, the newest of all of it may be read as well: both end after the limit.
    ways = (
        "using ix_dg_workflow_notifications_role",
        "using pk_dg_workflow_notifications",
        "INDEX ix_dg_workflow_notifications_role",
    )
    assert any(way in plan for way in ways), plan
    for table in ("dg_workflow_items", "dg_workflow_notification_reads"):
        by_key = [line for line in plan.splitlines() if table in line and "SCAN" not in line and "Seq Scan" not in line]
        assert by_key, plan


@pytest.mark.stores("sqlite")
def test_a_days_escalations_lead_to_their_items_one_by_one(crowded: None) -> None:
    with noted() as sent:
        READS["escalated on a day"][1](db.session())
    db.session.rollback()
    ((statement, parameters),) = sent
    plan = plan_of(statement, parameters)
    assert "ix_dg_workflow_actions_type" in plan
    assert "(tenant_id=? AND workflow_id=?)" in plan


def test_the_next_item_is_found_among_the_open_ones(crowded: None) -> None:
    with noted() as sent, transaction() as session:
        found = claim_next_item(session, CommandContext(NORA, Surface.FORM, "c", NOW, POLICY))
        assert found is not None
    searches = [pair for pair in sent if "ORDER BY dg_workflow_items.priority_rank" in pair[0]]
    assert searches
    for statement, parameters in searches:
        plan = plan_of(statement, parameters)
        assert any(f"ix_dg_workflow_items_{index}" in plan for index in OF_OPEN), plan


def test_a_text_among_closed_items_goes_on_from_where_the_search_ended(
    crowded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_web.queries.inbox.listing.CLOSED_REACH", 1_000)
    wanted = everything(criteria=InboxFilter(text="rr_005999"))
    seen: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or pages == 0:
        page = workflow_page(db.session(), "default", wanted, now=NOW, soon_minutes=30, limit=12, cursor=cursor)
        seen += [item.subject_id for item in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == ["rr_005999"]
    assert pages == 6


def test_precedents_are_counted_without_a_look_at_each(crowded: None) -> None:
    with noted() as sent:
        found = find_precedents(db.session(), "default", key="sha256:7", portfolio_id=None, before=NOW, besides=None)
    db.session.rollback()
    assert found.counted > len(found.shown) == SHOWN
    (counted, parameters), *_ = sent
    assert re.search("USING COVERING INDEX|Index Only Scan", plan_of(counted, parameters)), plan_of(counted, parameters)


def fill_with_what_is_not_late(app: Flask) -> None:
    """Store thousands of closed items and some open ones that are due tomorrow."""
    add_items(app, MANY, start=NOON)
    with app.app_context(), transaction() as session:
        session.execute(text(f"{CLOSED.text} AND last_source_log_seq % 40 != 0"))
        open_ones = update(WorkflowItem).where(WorkflowItem.resolved_at.is_(None))
        session.execute(open_ones.values(sla_due_at=NOW + timedelta(days=1)))


@pytest.mark.filled(by=fill_with_what_is_not_late)
def test_what_is_not_late_is_not_looked_up_by_its_due_time(app: Flask) -> None:
    with app.app_context():
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        with noted() as sent:
            page = inbox_items(db.session(), InboxFilter(), Tab.OPEN, actor=NORA, now=NOW, soon_minutes=30, limit=50)
        db.session.rollback()
        assert len(page.items) == 50
        searched = [line for line in plan_of(*sent[-1]).splitlines() if "Index Cond" in line or "SEARCH" in line]
        assert searched
        assert [line for line in searched if "sla_due_at" in line] == []
