"""The delivery of notices: what waits for a channel is handed over to it once, whatever fails, whoever else is at it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from lotus_web.config.current import utcnow
from lotus_web.domain.notifications import Channel
from lotus_web.jobs import delivery
from lotus_web.jobs.context import JobContext
from lotus_web.models import Notification
from lotus_web.queries.health.doctor import State, diagnose
from lotus_web.services.notifications.delivery import CHANNELS, PUSH_BACK, deliver, undelivered
from lotus_web.store.session import db, transaction
from tests.integration.jobs.sla.test_sweep import explained
from tests.servers.patience import PATIENCE
from tests.support.events import NOON, open_item
from tests.support.histories import differences, unguarded

LATER = NOON + timedelta(hours=1)
NOTHING = {"delivered": 0, "failed": 0, "unknown_channel": 0}
Handed = list[str]


@pytest.fixture
def job(app: Flask) -> JobContext:
    return JobContext(app.extensions["lotus_settings"])


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """What was handed over to a channel for mail, which this installation has besides the console's."""
    ids: Handed = []
    monkeypatch.setitem(CHANNELS, "mail", lambda notice: ids.append(notice.notification_id))  # type: ignore[arg-type]
    return ids


def pending(number: int, channel: str = "operator_console") -> str:
    """Store a notice that its channel does not have yet."""
    notice = Notification(
        notification_id=f"ntf_{number}",
        tenant_id="default",
        workflow_id="t:exception:ex",
        trace_id="t",
        category="failure",
        channel=channel,
        status="pending",
        message="Something could not be recorded.",
        recipient_role="reviewer",
        payload={},
        dedupe_key=f"key-{number}",
        created_at=NOON,
    )
    with transaction() as session:
        session.add(notice)
    return f"ntf_{number}"


def stored(notification_id: str) -> tuple[str, Any]:
    db.session.rollback()
    query = select(Notification.status, Notification.delivered_at).where(
        Notification.notification_id == notification_id
    )
    status, delivered_at = db.session.execute(query).one()
    return status, delivered_at


def test_what_the_console_is_told_is_delivered_when_it_is_made(app: Flask, session: Session, job: JobContext) -> None:
    workflow_id = open_item(app, "t", at=NOON)
    told = session.query(Notification).filter_by(workflow_id=workflow_id).all()
    assert told
    assert all(notice.delivered_at == notice.created_at for notice in told)
    assert delivery.preview(job, LATER) == {"delivered": 0, "unknown_channel": 0}
    assert delivery.hand_over(job, LATER) == NOTHING


def test_every_channel_of_the_house_is_known_to_the_job() -> None:
    assert set(CHANNELS) == set(Channel)


def test_a_notice_that_was_left_undelivered_is_delivered_once(session: Session, job: JobContext) -> None:
    waiting = pending(1)
    assert delivery.preview(job, LATER) == {"delivered": 1, "unknown_channel": 0}
    assert delivery.hand_over(job, LATER) == NOTHING | {"delivered": 1}
    assert stored(waiting) == ("delivered", LATER)
    assert delivery.hand_over(job, LATER + timedelta(hours=1)) == NOTHING
    assert stored(waiting) == ("delivered", LATER)


def test_each_channel_is_handed_its_own_notices_in_their_order(
    session: Session, job: JobContext, handed: Handed
) -> None:
    mails = [pending(number, "mail") for number in (1, 2, 3)]
    pending(4)
    assert delivery.hand_over(job, LATER) == NOTHING | {"delivered": 4}
    assert handed == mails


def test_a_notice_of_an_unknown_channel_waits_and_is_told(app: Flask, session: Session, job: JobContext) -> None:
    strange, own = pending(1, "pigeon"), pending(2)
    assert delivery.hand_over(job, LATER) == {"delivered": 1, "failed": 0, "unknown_channel": 1}
    assert (stored(strange), stored(own)) == (("pending", None), ("delivered", LATER))
    found = {one.check: one for one in diagnose(session, job.settings, now=LATER).findings}["delivery"]
    assert (found.state, "pigeon" in found.says) == (State.WRONG, True)


def test_the_doctor_tells_of_notices_that_wait(app: Flask, session: Session, job: JobContext) -> None:
    def found() -> Any:
        return {one.check: one for one in diagnose(session, job.settings, now=LATER).findings}["delivery"]

    assert found().state is State.OK
    pending(1)
    assert (found().state, found().says) == (State.NOTE, "Notices that wait to be delivered: 1.")


def test_a_notice_that_its_channel_does_not_take_is_pushed_back_and_holds_up_nothing(
    session: Session, job: JobContext, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse_the_first(notice: Notification) -> None:
        if notice.notification_id == poison:
            raise ConnectionError("no mail for ada@desk.example today")

    monkeypatch.setitem(CHANNELS, "mail", refuse_the_first)  # type: ignore[arg-type]
    poison, healthy = pending(1, "mail"), pending(2, "mail")
    assert delivery.hand_over(job, LATER) == NOTHING | {"delivered": 1, "failed": 1}
    assert (stored(poison), stored(healthy)) == (("pending", None), ("delivered", LATER))
    logged = capfd.readouterr().err
    assert ("notice_failed" in logged, poison in logged, "ada@desk.example" in logged) == (True, True, False)
    assert delivery.hand_over(job, LATER + PUSH_BACK - timedelta(minutes=1)) == NOTHING
    monkeypatch.setitem(CHANNELS, "mail", lambda _notice: None)  # type: ignore[arg-type]
    assert delivery.hand_over(job, LATER + PUSH_BACK) == NOTHING | {"delivered": 1}


def test_two_jobs_at_once_hand_a_notice_over_once(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ("default", pending(1, "mail"))
    session.rollback()
    begun, other_tries = threading.Event(), threading.Event()
    handed: Handed = []

    def take_over(notice: Notification) -> None:
        handed.append(notice.notification_id)
        begun.set()
        assert other_tries.wait(PATIENCE)

    monkeypatch.setitem(CHANNELS, "mail", take_over)  # type: ignore[arg-type]
    outcomes: list[bool] = []

    def work(before: Callable[[], object]) -> None:
        with app.app_context():
            before()
            with transaction() as own:
                outcomes.append(deliver(own, key, now=LATER))

    def second() -> None:
        assert begun.wait(PATIENCE)
        assert undelivered(db.session(), now=LATER, limit=10) == [key]
        db.session.rollback()
        other_tries.set()

    jobs = [threading.Thread(target=work, args=(before,)) for before in (lambda: None, second)]
    for one in jobs:
        one.start()
    for one in jobs:
        one.join(PATIENCE)
    assert (handed, outcomes) == (["ntf_1"], [True, False])


@pytest.mark.parametrize(
    "change",
    ["message = 'x'", "channel = 'mail', delivered_at = created_at", "dedupe_key = 'x'", "recipient_account_id = 'x'"],
)
def test_what_is_told_cannot_be_changed_while_it_waits(session: Session, change: str) -> None:
    pending(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction() as own:
        own.execute(text(f"UPDATE dg_workflow_notifications SET {change}"))


def test_a_delivery_that_was_noted_stays_so(session: Session, job: JobContext) -> None:
    pending(1)
    delivery.hand_over(job, LATER)
    for change in ("delivered_at = NULL", "status = 'pending'", "deliver_not_before = created_at"):
        with pytest.raises(DatabaseError, match="append-only"), transaction() as own:
            own.execute(text(f"UPDATE dg_workflow_notifications SET {change}"))


def test_when_a_notice_was_delivered_is_no_difference_to_its_history(
    app: Flask, session: Session, job: JobContext
) -> None:
    open_item(app, "t", at=NOON)
    with unguarded("dg_workflow_notifications") as own:
        own.execute(text("UPDATE dg_workflow_notifications SET delivered_at = NULL, status = 'pending'"))
    assert delivery.hand_over(job, LATER)["delivered"] >= 1
    assert differences() == []


def test_what_waits_is_found_by_an_index(app: Flask, session: Session, job: JobContext) -> None:
    with transaction() as own:
        own.execute(
            Notification.__table__.insert(),  # type: ignore[attr-defined]
            [
                {
                    "notification_id": f"old-{number}",
                    "tenant_id": "default",
                    "workflow_id": "w",
                    "trace_id": "t",
                    "category": "failure",
                    "channel": "operator_console",
                    "status": "delivered",
                    "message": "m",
                    "payload": {},
                    "dedupe_key": f"old-{number}",
                    "created_at": NOON,
                    "delivered_at": NOON,
                }
                for number in range(5_000)
            ],
        )
    pending(1)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    sent: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    assert delivery.hand_over(job, LATER) == NOTHING | {"delivered": 1}
    event.remove(db.engine, "before_cursor_execute", note)
    searches = [one for one in sent if "delivered_at IS NULL" in one[0]]
    assert len(searches) >= 2
    for statement, parameters in searches:
        assert "ix_dg_workflow_notifications_undelivered" in explained(statement, parameters), statement


def test_the_command_delivers_and_says_so_as_json(app: Flask, session: Session) -> None:
    pending(1)
    asked = ["jobs", "tick", "--job", "delivery"]
    runner = app.test_cli_runner()
    foretold = runner.invoke(args=[*asked, "--dry-run"])
    assert (foretold.exit_code, json.loads(foretold.stdout)) == (
        0,
        {"delivery": {"delivered": 1, "unknown_channel": 0}},
    )
    done = runner.invoke(args=asked)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"delivery": NOTHING | {"delivered": 1}})
    assert stored("ntf_1")[1] <= utcnow()
