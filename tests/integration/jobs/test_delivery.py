"""Delivery by channels other than the console: claimed by one worker, sent with nothing held, marked, tried again, given up."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import MAX_ATTEMPTS, retry_delay
from lotus_web.domain.notifications import Channel
from lotus_web.domain.sentences import Account
from lotus_web.jobs import delivery
from lotus_web.jobs.context import JobContext
from lotus_web.models import Delivery, Notification
from lotus_web.queries.health import doctor
from lotus_web.queries.health.doctor import diagnose
from lotus_web.queries.health.findings import State
from lotus_web.services.deliveries import queue, resend
from lotus_web.services.deliveries.kinds import known_channels
from lotus_web.services.deliveries.queue import LEASE, WORKER_LOST
from lotus_web.services.notifications.senders import SENDERS, OutgoingNotice
from lotus_web.store.session import db, transaction
from tests.integration.jobs.sla.test_sweep import explained
from tests.servers.patience import PATIENCE
from tests.support.events import NOON, open_item, open_items
from tests.support.histories import differences, unguarded

NOTHING = {"delivered": 0, "failed": 0, "given_up": 0, "unknown_channel": 0}
SECOND = timedelta(seconds=1)


class PowerCut(BaseException):
    """The process dies: nothing that handles exceptions gets to run."""


class Mail:
    """A channel for mail whose receiver may refuse what it is sent."""

    def __init__(self) -> None:
        self.sent: list[OutgoingNotice] = []
        self.refuses: set[str] = set()

    def __call__(self, notice: OutgoingNotice) -> None:
        if notice.workflow_id in self.refuses:
            raise ConnectionError("no mail for ada@desk.example today")
        self.sent.append(notice)

    @property
    def workflow_ids(self) -> list[str]:
        return [one.workflow_id for one in self.sent]


@pytest.fixture
def job(app: Flask) -> JobContext:
    return JobContext(app.extensions["lotus_settings"])


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Mail:
    """A channel for mail, besides the console."""
    channel = Mail()
    monkeypatch.setitem(SENDERS, "mail", channel)
    monkeypatch.setattr(doctor, "CHANNELS", doctor.CHANNELS | {"mail"})
    return channel


class StoreClock:
    """The store's clock as deliveries read it, which a test moves."""

    def __init__(self) -> None:
        self.now = NOON + timedelta(hours=1)

    def __call__(self, _session: Session) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoreClock:
    found = StoreClock()
    monkeypatch.setattr(queue, "store_now", found)
    monkeypatch.setattr(resend, "store_now", found)
    return found


def deliver(job: JobContext) -> dict[str, Any]:
    """Run the job once and return what it did, without what is zero."""
    return {name: count for name, count in delivery.deliver_pending(job, NOON).items() if count}


def rows() -> list[Delivery]:
    db.session.rollback()
    query = db.select(Delivery).order_by(Delivery.delivery_seq)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def only_row() -> Delivery:
    (row,) = rows()
    return row


def finding(session: Session, job: JobContext) -> tuple[State, str]:
    found = [one for one in diagnose(session, job.settings, now=NOON).findings if one.check == "delivery"]
    return found[0].state, found[0].says


def test_the_console_needs_no_delivery(app: Flask, session: Session, job: JobContext) -> None:
    workflow_id = open_item(app, "t", at=NOON)
    told = session.query(Notification).filter_by(workflow_id=workflow_id).all()
    assert [(one.channel, one.status, one.delivered_at) for one in told] == [("operator_console", "delivered", NOON)]
    assert rows() == []
    assert deliver(job) == {}
    assert finding(session, job) == (State.OK, "Nothing waits for delivery.")


def test_every_channel_but_the_console_has_a_sender() -> None:
    assert set(SENDERS) == set(Channel) - {Channel.CONSOLE}


def test_a_notice_has_one_delivery_for_each_channel_and_each_sends_it_once(
    app: Flask, session: Session, job: JobContext, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager = Mail()
    monkeypatch.setitem(SENDERS, "pager", pager)
    items = [open_item(app, trace, at=NOON) for trace in ("t1", "t2", "t3")]
    assert delivery.preview(job, NOON) == {"delivered": 6, "unknown_channel": 0}
    assert deliver(job) == {"delivered": 6}
    assert (mail.workflow_ids, pager.workflow_ids) == (items, items)
    assert {(row.status, row.attempts, row.due_at, row.lease_owner) for row in rows()} == {("delivered", 1, None, None)}
    assert deliver(job) == {}
    assert len({one.delivery_id for one in (*mail.sent, *pager.sent)}) == 6


def test_a_channel_is_given_the_sentence_with_its_values(
    app: Flask, session: Session, job: JobContext, mail: Mail
) -> None:
    open_item(app, "t", at=NOON)
    deliver(job)
    (sent,) = mail.sent
    assert str(sent.sentence).endswith(" is assigned to reviewer.")
    assert sent.sentence.values["assignee"] == "reviewer"
    assert not isinstance(sent.sentence.values["title"], Account)
    assert (sent.recipient_role, sent.recipient_account_id, sent.tenant_id) == ("reviewer", None, "default")
    assert sent.delivery_id == only_row().delivery_id


def test_while_a_notice_is_sent_no_connection_is_held_and_others_can_write(
    app: Flask, session: Session, job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that does not answer holds up nobody."""
    held: list[int] = []

    def look(notice: OutgoingNotice) -> None:
        if notice.workflow_id != "t:exception:ex":
            return
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        writer = threading.Thread(target=open_item, args=(app, "meanwhile"))
        writer.start()
        writer.join(PATIENCE)
        assert not writer.is_alive()

    monkeypatch.setitem(SENDERS, "mail", look)
    open_item(app, "t")
    session.rollback()
    assert deliver(job) == {"delivered": 2}
    assert held == [0]


def test_two_workers_never_send_the_same_notice(
    app: Flask, session: Session, job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)
    sent: list[tuple[str, int]] = []
    seen = threading.local()

    def send(notice: OutgoingNotice) -> None:
        sent.append((notice.delivery_id, threading.get_ident()))
        if not hasattr(seen, "first"):
            seen.first = True
            both.wait(PATIENCE)

    monkeypatch.setitem(SENDERS, "mail", send)
    open_items(app, [f"t{number}" for number in range(12)])
    session.rollback()
    outcomes: list[int] = []

    def work() -> None:
        with app.app_context():
            outcomes.append(deliver(job)["delivered"])

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(PATIENCE)
    assert sum(outcomes) == len(sent) == len({delivery_id for delivery_id, _ in sent}) == 12
    assert len({worker for _, worker in sent}) == 2


def test_a_crash_between_claim_and_mark_leads_to_a_repeat_after_the_lease(
    app: Flask, session: Session, job: JobContext, monkeypatch: pytest.MonkeyPatch, clock: StoreClock
) -> None:
    sent: list[str] = []

    def die_after_sending(notice: OutgoingNotice) -> None:
        sent.append(notice.delivery_id)
        if len(sent) == 1:
            raise PowerCut

    monkeypatch.setitem(SENDERS, "mail", die_after_sending)
    open_item(app, "t")
    with pytest.raises(PowerCut):
        deliver(job)
    assert (only_row().status, only_row().due_at) == ("sending", clock.now + LEASE)
    clock.now += LEASE - SECOND
    assert deliver(job) == {}
    clock.now += SECOND
    assert deliver(job) == {"delivered": 1}
    assert sent == [only_row().delivery_id] * 2
    assert (only_row().status, only_row().attempts) == ("delivered", 2)


def test_a_worker_whose_lease_ran_out_marks_nothing(
    app: Flask, session: Session, mail: Mail, clock: StoreClock
) -> None:
    open_item(app, "t")
    with transaction() as own:
        late = queue.claim_delivery(own, known_channels())
    clock.now += LEASE
    with transaction() as own:
        other = queue.claim_delivery(own, known_channels())
    assert late is not None
    assert other is not None
    with transaction() as own:
        assert queue.mark_delivered(own, late) is False
        queue.mark_failed(own, late, TimeoutError())
    assert (only_row().status, only_row().lease_owner) == ("sending", other.owner)
    with transaction() as own:
        assert queue.mark_delivered(own, other) is True
        queue.mark_failed(own, other, TimeoutError())
    assert (only_row().status, only_row().last_error) == ("delivered", None)


def test_a_channel_that_refuses_is_tried_later_and_later_and_then_given_up(
    app: Flask, session: Session, job: JobContext, mail: Mail, clock: StoreClock
) -> None:
    mail.refuses.add(open_item(app, "t"))
    delays = []
    for _ in range(MAX_ATTEMPTS - 1):
        assert deliver(job) == {"failed": 1}
        due = only_row().due_at
        assert due is not None
        delays.append(due - clock.now)
        clock.now = due - SECOND
        assert deliver(job) == {}
        clock.now = due
    assert delays == [retry_delay(number) for number in range(1, MAX_ATTEMPTS)]
    assert finding(session, job) == (State.NOTE, "Deliveries that wait: 1.")
    assert deliver(job) == {"given_up": 1}
    row = only_row()
    assert (row.status, row.due_at, row.last_error, row.finished_at) == ("dead", None, "ConnectionError", clock.now)
    clock.now += timedelta(days=365)
    assert deliver(job) == {}
    assert finding(session, job) == (State.WRONG, "Deliveries that were given up (mail): 1.")


def test_a_delivery_whose_workers_all_die_is_given_up(
    app: Flask, session: Session, job: JobContext, monkeypatch: pytest.MonkeyPatch, clock: StoreClock
) -> None:
    def die(_notice: OutgoingNotice) -> None:
        raise PowerCut

    monkeypatch.setitem(SENDERS, "mail", die)
    open_item(app, "t")
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(PowerCut):
            deliver(job)
        clock.now += LEASE
    assert deliver(job) == {}
    assert (only_row().status, only_row().last_error) == ("dead", WORKER_LOST)


def test_a_notice_that_is_refused_holds_up_no_other_and_no_address_is_logged(
    app: Flask, session: Session, job: JobContext, mail: Mail, capfd: pytest.CaptureFixture[str]
) -> None:
    poison, healthy = open_items(app, ["poison", "healthy"])
    mail.refuses.add(poison)
    assert deliver(job) == {"failed": 1, "delivered": 1}
    assert mail.workflow_ids == [healthy]
    logged = capfd.readouterr().err
    assert "delivery_failed" in logged
    assert rows()[0].delivery_id in logged
    assert "ada@desk.example" not in logged


def test_what_cannot_even_be_read_holds_up_no_other(
    app: Flask, session: Session, job: JobContext, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, healthy = open_items(app, ["poison", "healthy"])
    with unguarded("dg_workflow_notifications") as own:
        own.execute(text("UPDATE dg_workflow_notifications SET params = '{}' WHERE workflow_id = :id"), {"id": poison})
    monkeypatch.setitem(SENDERS, "mail", lambda notice: (str(notice.sentence), mail(notice))[1])
    assert deliver(job) == {"failed": 1, "delivered": 1}
    assert mail.workflow_ids == [healthy]


def test_an_operator_sees_what_was_given_up_and_sends_it_again(
    app: Flask, session: Session, job: JobContext, mail: Mail, clock: StoreClock
) -> None:
    mail.refuses |= set(open_items(app, ["t1", "t2"]))
    while deliver(job) != {"given_up": 2}:
        clock.now += timedelta(hours=6)
    runner = app.test_cli_runner()
    listed = [json.loads(line) for line in runner.invoke(args=["deliveries", "undelivered"]).stdout.splitlines()]
    assert [(one["status"], one["channel"], one["attempts"]) for one in listed] == [("dead", "mail", MAX_ATTEMPTS)] * 2
    mail.refuses.clear()
    first, second = (one["delivery_id"] for one in listed)
    assert json.loads(runner.invoke(args=["deliveries", "resend", first]).stdout) == {"due_again": 1}
    assert deliver(job) == {"delivered": 1}
    again = runner.invoke(args=["deliveries", "resend", first])
    assert (again.exit_code, again.stderr) == (1, f"Error: No dead delivery has the ID {first}.\n")
    assert json.loads(runner.invoke(args=["deliveries", "resend", "--all"]).stdout) == {"due_again": 1}
    assert deliver(job) == {"delivered": 1}
    assert [one.delivery_id for one in mail.sent] == [first, second]
    assert runner.invoke(args=["deliveries", "undelivered"]).stdout == ""


@pytest.mark.parametrize("options", [[], ["dlv_1", "--all"]])
def test_an_operator_says_what_to_send_again(app: Flask, options: list[str]) -> None:
    assert app.test_cli_runner().invoke(args=["deliveries", "resend", *options]).exit_code == 2


def test_a_notice_for_an_unknown_channel_waits_and_is_told(
    app: Flask, session: Session, job: JobContext, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setitem(SENDERS, "pigeon", mail)
        open_item(app, "t")
    assert deliver(job) == {"delivered": 1, "unknown_channel": 1}
    assert [(row.channel, row.status) for row in rows()] == [("mail", "delivered"), ("pigeon", "pending")]
    state, says = finding(session, job)
    assert (state, "pigeon" in says) == (State.WRONG, True)


@pytest.mark.parametrize("change", ["message = 'x'", "status = 'pending'", "delivered_at = NULL", "params = '{}'"])
def test_nothing_of_a_notice_can_be_changed(app: Flask, session: Session, change: str) -> None:
    open_item(app, "t")
    with pytest.raises(DatabaseError, match="append-only"), transaction() as own:
        own.execute(text(f"UPDATE dg_workflow_notifications SET {change}"))


def test_a_rebuild_restores_a_notice_and_sends_nothing(
    app: Flask, session: Session, job: JobContext, mail: Mail
) -> None:
    open_item(app, "t")
    assert deliver(job) == {"delivered": 1}
    with unguarded("dg_workflow_notifications") as own:
        own.execute(text("DELETE FROM dg_workflow_notifications"))
    assert app.test_cli_runner().invoke(args=["workflow", "rebuild"]).exit_code == 0
    assert differences() == []
    assert deliver(job) == {}
    assert len(mail.sent) == 1


def test_a_job_that_is_asked_to_stop_begins_no_other(app: Flask, session: Session, mail: Mail) -> None:
    open_items(app, ["t1", "t2"])
    job = JobContext(app.extensions["lotus_settings"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SENDERS, "mail", lambda notice: (mail(notice), job.stop.set())[1])
        assert deliver(job) == {"delivered": 1}
    assert [row.status for row in rows()] == ["delivered", "pending"]


def test_what_is_due_is_found_by_an_index(app: Flask, session: Session, job: JobContext, mail: Mail) -> None:
    done = {
        "tenant_id": "default",
        "kind": "notice",
        "channel": "mail",
        "status": "delivered",
        "attempts": 1,
        "created_at": NOON,
    }
    with transaction() as own:
        own.execute(
            Delivery.__table__.insert(),  # type: ignore[attr-defined]
            [
                done | {"delivery_id": f"old-{number}", "subject_id": f"old-{number}", "finished_at": NOON}
                for number in range(5_000)
            ],
        )
    open_item(app, "t")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    assert deliver(job) == {"delivered": 1}
    event.remove(db.engine, "before_cursor_execute", note)
    searches = [one for one in sent if "status <> 'delivered'" in one[0]]
    assert len(searches) >= 4
    for statement, parameters in searches:
        plan = explained(statement, parameters)
        assert any(index in plan for index in ("ix_deliveries_open", "ix_deliveries_undelivered")), statement


def test_the_command_delivers_and_says_so_as_json(app: Flask, session: Session, mail: Mail) -> None:
    open_item(app, "t")
    asked = ["jobs", "tick", "--job", "delivery"]
    runner = app.test_cli_runner()
    foretold = runner.invoke(args=[*asked, "--dry-run"])
    assert (foretold.exit_code, json.loads(foretold.stdout)) == (
        0,
        {"delivery": {"delivered": 1, "unknown_channel": 0}},
    )
    done = runner.invoke(args=asked)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"delivery": NOTHING | {"delivered": 1}})
    assert mail.workflow_ids == ["t:exception:ex"]
