"""An export proves itself: whatever is edited in the file, the file alone shows it (workflow.md §6)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as event_of_orm

from lotus_web.domain.canonical import content_hash
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.errors import NotFound
from lotus_web.domain.events.envelope import EventType, Poster
from lotus_web.domain.items.actions import Action
from lotus_web.models import EventLogEntry, Notification, NotificationRead
from lotus_web.queries.audit import export
from lotus_web.queries.audit.export import export_item
from lotus_web.services.events.log import append_event
from lotus_web.store.session import db, transaction
from lotus_web.wire.audit import export_faults, sealed
from tests.support.histories import (
    ADA,
    MARA,
    NOW,
    POLICY,
    STARTED,
    act,
    approved,
    decide,
    event,
    later,
    record,
    requested,
    verify,
    workflow_id,
)

Document = dict[str, Any]


def fill(app: Flask) -> None:
    """Write an item with a long story among others."""
    with app.app_context():
        for number in (1, 2, 3):
            with transaction() as session:
                record(session, number, correlation_id="batch" if number < 3 else None)
        for action in (GateAction.APPROVE, GateAction.REQUEST_CHANGES, GateAction.REJECT):
            with transaction() as session:
                decide(session, 3, action)
                if action is GateAction.APPROVE:
                    decide_first(session)
        with transaction() as session:
            told = session.scalars(db.select(Notification).where(Notification.workflow_id == ITEM)).first()
            assert told is not None
            session.add(
                NotificationRead(
                    tenant_id="default", account_id="mara.keller", notification_id=told.notification_id, read_at=NOW
                )
            )


pytestmark = pytest.mark.filled(by=fill)


@pytest.fixture
def inbox(app: Flask) -> Iterator[Flask]:
    """An item with a long story among others."""
    with app.app_context():
        yield app


ITEM = "batch:exception:rr_00000001"


def decide_first(session: Any) -> None:
    for action in (
        Action.CLAIM,
        Action.REASSIGN,
        Action.ESCALATE,
        Action.APPROVE,
        Action.REQUEST_CHANGE,
        Action.COMMENT,
    ):
        act(session, ITEM, action, actor=ADA)
    act(session, ITEM, Action.OVERRIDE, actor=ADA)


def exported(item: str = ITEM) -> Document:
    """Return the document as a file would hold it."""
    document = export_item(db.session(), "default", item, now=later(9))
    return json.loads(json.dumps(document), parse_float=Decimal)  # type: ignore[no-any-return]


def test_an_export_holds_what_the_contract_names_and_is_intact(inbox: Flask) -> None:
    document = exported()
    assert set(document) == {
        "export_version",
        "exported_at",
        "workflow",
        "workflow_actions",
        "workflow_notifications",
        "trace_reference",
        "audit_summary",
        "proof",
    }
    assert document["audit_summary"] == {
        "action_count": 7,
        "notification_count": len(document["workflow_notifications"]),
        "closed": True,
        "overdue": False,
        "current_decision": "overridden",
        "workflow_kind": "exception_review",
    }
    assert document["workflow"]["subject"] == {"subject_type": "exception", "subject_id": "rr_00000001"}
    assert document["proof"]["head"]["entry_hash"] == verify().head_hash
    assert export_faults(document) == ()
    assert export_faults({"data": document, "request_id": "req-1"}) == ()


def test_every_item_of_the_inbox_exports_and_proves(inbox: Flask) -> None:
    for item in (ITEM, "batch:exception:rr_00000002", workflow_id(3)):
        assert export_faults(exported(item)) == ()


def test_an_export_proves_who_fed_its_events(inbox: Flask) -> None:
    poster = Poster("credit-bot", "tok0123456789abcdef")
    with transaction() as session:
        for draft in (event(EventType.TRACE_STARTED, STARTED), event(EventType.EXCEPTION_REQUESTED, requested())):
            append_event(session, draft, defaults=POLICY.defaults, now=NOW, poster=poster)
    document = exported("trace-1:exception:ex-1")
    assert [entry["posted_by"] for entry in document["proof"]["entries"]] == [poster.as_dict()] * 2
    assert export_faults(document) == ()
    for forged in ({"account": "mallory", "token_id": poster.token_id}, {"account": "credit-bot", "token_id": None}):
        document["proof"]["entries"][1]["posted_by"] = forged
        assert "the entry is not what was hashed" in export_faults(document)[0]
    del document["proof"]["entries"][1]["posted_by"]
    assert "the entry is not what was hashed" in export_faults(document)[0]


def test_other_peoples_entries_are_in_the_proof_by_hash_alone(inbox: Flask) -> None:
    document = exported()
    linked = sum(len(link["content_hashes"]) for link in document["proof"]["links"])
    assert linked + len(document["proof"]["entries"]) == document["proof"]["head"]["entry_count"]
    assert linked > 0
    text = json.dumps(document)
    assert "rr_00000003" not in text
    assert "PF-2" not in text


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not value or not isinstance(value, (dict, list)):
        yield path
    for key, item in inner:
        yield from leaves(item, (*path, key))


def edited(document: Document, path: tuple[Any, ...]) -> Document:
    """Return the document with one leaf changed into something else of its kind."""
    changed = copy.deepcopy(document)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    old = inner[path[-1]]
    match old:
        case bool():
            inner[path[-1]] = not old
        case int():
            inner[path[-1]] = old + 1
        case str():
            inner[path[-1]] = old[:-1] + ("0" if old[-1:] != "0" else "1")
        case _:
            inner[path[-1]] = ["edited"]
    return changed


def resealed(document: Document) -> Document:
    """Return the document with its own hash computed anew, as a forger would."""
    return json.loads(json.dumps(sealed(document)), parse_float=Decimal)  # type: ignore[no-any-return]


def test_an_edit_of_any_leaf_of_the_file_is_found(inbox: Flask) -> None:
    document = exported()
    for path in leaves(document):
        assert export_faults(edited(document, path)), path


def test_an_edit_of_what_events_and_actions_say_is_found_even_if_the_file_is_hashed_anew(inbox: Flask) -> None:
    document = exported()
    told_elsewhere = {"workflow_notifications", "trace_reference", "exported_at"}
    for path in leaves(document):
        free = path[0] in told_elsewhere or path[:2] in {
            ("proof", "method"),
            ("proof", "document_hash"),
            ("proof", "head"),
        }
        # The number of a place is no part of a chain, which knows order alone; manual actions are in no chain;
        # a way may be left out, which says so.
        if free or path[0] == "workflow_actions" or path[-1] in ("log_seq", "omitted"):
            continue
        assert export_faults(resealed(edited(document, path))), path


def test_an_entry_or_an_action_left_out_is_found_even_if_the_file_is_hashed_anew(inbox: Flask) -> None:
    document = exported()
    for place in range(len(document["proof"]["entries"])):
        without = copy.deepcopy(document)
        del without["proof"]["entries"][place], without["proof"]["links"][place]
        assert export_faults(resealed(without)), place
    for place in range(len(document["workflow_actions"])):
        without = copy.deepcopy(document)
        del without["workflow_actions"][place]
        without["audit_summary"]["action_count"] -= 1
        assert export_faults(resealed(without)), place


def test_a_forged_payload_with_its_own_hash_does_not_fit_its_entry(inbox: Flask) -> None:
    document = exported()
    entry = document["proof"]["entries"][-1]
    entry["event"]["payload"]["reason"] = "Something else."
    entry["payload_hash"] = content_hash(entry["event"]["payload"])
    faults = export_faults(resealed(document))
    assert f"entry {entry['log_seq']}, {entry['event']['event_id']}: the entry is not what was hashed" in faults


@pytest.mark.parametrize(
    "odd",
    [None, [], "text", 7, {}, {"data": None}, {"data": {}}, {"export_version": 1}, {"export_version": 2, "proof": {}}],
)
def test_what_is_no_export_is_a_finding_and_no_crash(odd: Any) -> None:
    assert export_faults(odd)


def test_a_long_way_to_the_head_is_left_out_and_said_to_be(inbox: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "LINKS_MAX", 3)
    document = exported()
    links = document["proof"]["links"]
    assert sum(len(link["content_hashes"]) for link in links) <= 3
    assert any(link["omitted"] and link["entries"] for link in links)
    assert export_faults(document) == ()
    for path in leaves(document):
        assert export_faults(edited(document, path)), path


def test_someone_who_acts_while_an_export_is_read_does_not_tear_it(
    inbox: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, acted = export._notifications, []

    def act_elsewhere() -> None:
        with inbox.app_context(), transaction() as session:
            act(session, ITEM, Action.COMMENT, actor=MARA)
            acted.append(True)

    def meddle(session: Any, item: Any) -> Any:
        meddler = Thread(target=act_elsewhere)
        meddler.start()
        meddler.join()
        return parts(session, item)

    monkeypatch.setattr(export, "_notifications", meddle)
    for times in (1, 2, 3):
        document = exported()
        assert len(acted) == times
        assert len(document["workflow_actions"]) == 6 + times
        assert export_faults(document) == ()


def test_an_export_costs_the_same_in_a_trace_that_many_runs_share(
    inbox: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = exported()
    monkeypatch.setattr(export, "REACH", 3)
    for number in range(10, 30):
        with transaction() as session:
            record(session, number, correlation_id="batch")
    loaded: list[str] = []
    listens = (EventLogEntry, "load", lambda row, _context: loaded.append(row.event_id))
    db.session.expunge_all()
    event_of_orm.listen(*listens)
    try:
        document = exported()
    finally:
        event_of_orm.remove(*listens)
    assert document["trace_reference"] == alone["trace_reference"]
    assert sorted(loaded) == sorted(document["trace_reference"]["event_ids"])
    assert export_faults(document) == ()
    late = exported("batch:exception:rr_00000019")
    assert [entry["event"]["event_type"] for entry in late["proof"]["entries"]] == [
        "TraceStarted",
        "PolicyEvaluated",
        "ExceptionRequested",
    ]
    assert {"rr_00000018", "rr_0000001a"} & set(json.dumps(late).split('"')) == set()
    assert export_faults(late) == ()


def test_what_other_systems_say_of_an_item_and_changes_nothing_is_in_its_export(inbox: Flask) -> None:
    item = "trace-1:exception:ex-1"
    steps: list[tuple[EventType, Any]] = [
        (EventType.TRACE_STARTED, STARTED),
        (EventType.EXCEPTION_REQUESTED, requested()),
        (EventType.APPROVAL_RECORDED, approved("exception", "ex-1")),
        (EventType.APPROVAL_RECORDED, approved("exception", "ex-1", "rejected")),
        (EventType.EXCEPTION_REQUESTED, requested("ex-10")),
    ]
    with transaction() as session:
        for kind, payload in steps:
            append_event(session, event(kind, payload), defaults=POLICY.defaults, now=NOW)
    document = exported(item)
    assert [entry["event"]["event_type"] for entry in document["proof"]["entries"]] == [
        kind.value for kind, _ in steps[:4]
    ]
    assert export_faults(document) == ()


def test_an_item_that_is_not_there_is_not_found(inbox: Flask) -> None:
    for tenant, item in (("default", "nothing"), ("elsewhere", ITEM)):
        with pytest.raises(NotFound):
            export_item(db.session(), tenant, item, now=NOW)


def test_the_command_verifies_a_file(inbox: Flask, tmp_path: Path) -> None:
    document, runner = exported(), inbox.test_cli_runner()
    for name, inner in (("bare.json", document), ("enveloped.json", {"data": document, "request_id": "r"})):
        (tmp_path / name).write_text(json.dumps(inner))
        done = runner.invoke(args=["audit", "verify", "--file", str(tmp_path / name)])
        assert (done.exit_code, "intact" in done.output) == (0, True)
    document["workflow"]["status"] = "approved"
    (tmp_path / "edited.json").write_text(json.dumps(document))
    done = runner.invoke(args=["audit", "verify", "--file", str(tmp_path / "edited.json")])
    assert (done.exit_code, "workflow: status differ" in done.output) == (1, True)
    (tmp_path / "torn.json").write_text(json.dumps(document)[:-9])
    assert runner.invoke(args=["audit", "verify", "--file", str(tmp_path / "torn.json")]).exit_code == 1
    # Another reader would take the first of the two.
    (tmp_path / "twice.json").write_text('{"workflow": {}, ' + json.dumps(exported())[1:])
    done = runner.invoke(args=["audit", "verify", "--file", str(tmp_path / "twice.json")])
    assert (done.exit_code, 'the member "workflow" more than once' in done.output) == (1, True)


@pytest.mark.parametrize("depth", [700, 100_000])
def test_a_file_that_is_nested_without_end_is_broken(app: Flask, tmp_path: Path, depth: int) -> None:
    entry = '{"log_seq": 1, "event": {"event_id": "e", "payload": ' + '{"a":' * depth + "1" + "}" * depth + "}}"
    hostile = tmp_path / "deep.json"
    hostile.write_text(f'{{"export_version": 1, "proof": {{"entries": [{entry}]}}}}')
    done = app.test_cli_runner().invoke(args=["audit", "verify", "--file", str(hostile)])
    assert (done.exit_code, "BROKEN" in done.output) == (1, True)
