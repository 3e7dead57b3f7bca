"""Callbacks of operations: planned with the end, signed, tried again until they are taken, and never in anybody's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.domain.deliveries.callback_url import CallbackUrl
from lotus_web.domain.deliveries.states import MAX_ATTEMPTS, NotTaken
from lotus_web.jobs import delivery
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Delivery
from lotus_web.queries.health.doctor import diagnose
from lotus_web.queries.health.findings import State
from lotus_web.services.deliveries import callbacks, pace, posting, queue, resend
from lotus_web.services.operations.leases import OperationLost, claim_operation, fail, succeed
from lotus_web.store.session import db, transaction
from tests.contract.callers import Caller, bearer_of
from tests.servers.receiver import Received, Receiver, listening
from tests.support.analyses import TERMS, accept, batch_json, silence, told

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd")
pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.environ(LOTUS_CALLBACK_SECRETS=",".join(SECRETS), LOTUS_CALLBACK_NETWORKS="127.0.0.0/8"),
]
SQLITE = pytest.mark.stores("sqlite")
HOUR = timedelta(hours=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def job(app: Flask) -> JobContext:
    return JobContext(app.extensions["lotus_settings"])


class StoreClock:
    """The store's clock as deliveries read it, which a test moves."""

    def __init__(self) -> None:
        self.now = utcnow() + timedelta(minutes=1)

    def __call__(self, _session: Session) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoreClock:
    found = StoreClock()
    for module in (queue, resend, callbacks):
        monkeypatch.setattr(module, "store_now", found)
    return found


def deliver(job: JobContext) -> dict[str, Any]:
    return {name: count for name, count in delivery.deliver_pending(job, utcnow()).items() if count}


def rows() -> list[Delivery]:
    db.session.rollback()
    query = db.select(Delivery).order_by(Delivery.delivery_seq).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def verified(one: Received, secret: str, at: datetime) -> Any:
    """Return the document of a callback whose signature verifies at the time of its attempt."""
    with time_machine.travel(at, tick=False):
        return Webhook(secret).verify(one.body, one.headers)


def test_one_that_succeeded_is_told_with_a_signature_of_each_secret(
    receiver: Receiver, job: JobContext, clock: StoreClock
) -> None:
    accepted = accept(callback_url=receiver.url, inline=True)
    (row,) = rows()
    assert (row.kind, row.subject_id, row.channel) == ("operation_callback", accepted.operation_id, "webhook")
    assert receiver.received == []
    assert deliver(job) == {"delivered": 1}
    (one,) = receiver.received
    documents = [verified(one, secret, clock.now) for secret in SECRETS]
    assert (
        documents[0]
        == documents[1]
        == {
            "type": "operation.succeeded",
            "timestamp": told(accepted.operation_id).row.finished_at.isoformat(timespec="microseconds"),  # type: ignore[union-attr]
            "data": {
                "operation_id": accepted.operation_id,
                "operation_type": "ANALYZE_SCENARIOS",
                "status": "SUCCEEDED",
                "correlation_id": "corr-desk",
                "status_url": f"/api/v1/rebalance/operations/{accepted.operation_id}",
                "error_code": None,
            },
        }
    )
    assert one.webhook_id == row.delivery_id
    assert one.headers["webhook-timestamp"] == str(int(clock.now.timestamp()))
    assert one.headers["content-type"] == "application/json"
    assert deliver(job) == {}
    assert len(receiver.received) == 1


def test_one_without_an_address_tells_nobody() -> None:
    accept(inline=True)
    assert rows() == []


def test_one_that_failed_says_its_code_and_nothing_of_the_cause(
    receiver: Receiver, job: JobContext, clock: StoreClock
) -> None:
    accepted = accept(callback_url=receiver.url)
    with transaction() as session:
        claim = claim_operation(session, "default", accepted.operation_id, terms=TERMS, now=utcnow())
        fail(session, claim, code="OPERATION_FAILED", message="A sentence.", now=utcnow())
    assert deliver(job) == {"delivered": 1}
    document = json.loads(receiver.received[0].body)
    assert (document["type"], document["data"]["error_code"]) == ("operation.failed", "OPERATION_FAILED")
    assert "A sentence." not in receiver.received[0].body.decode()


@pytest.mark.environ(LOTUS_OPERATION_MAX_ATTEMPTS="1")
def test_one_whose_workers_were_lost_is_told_too(receiver: Receiver, job: JobContext, clock: StoreClock) -> None:
    accepted = accept(callback_url=receiver.url)
    with transaction() as session:
        claim_operation(session, "default", accepted.operation_id, terms=TERMS, now=utcnow())
    silence(accepted.operation_id)
    run_due(job, utcnow())
    assert deliver(job) == {"delivered": 1}
    data = json.loads(receiver.received[0].body)["data"]
    assert (data["status"], data["error_code"]) == ("FAILED", "WORKER_LOST")


def test_an_end_that_is_undone_or_lost_tells_nobody(receiver: Receiver) -> None:
    accepted = accept(callback_url=receiver.url)
    with transaction() as session:
        claim = claim_operation(session, "default", accepted.operation_id, terms=TERMS, now=utcnow())
    undone = db.session()
    succeed(undone, claim, {}, now=utcnow())
    undone.flush()
    undone.rollback()
    assert rows() == []
    with transaction() as session:
        succeed(session, claim, {}, now=utcnow())
    with transaction() as session, pytest.raises(OperationLost):
        fail(session, claim, code="WORKER_LOST", message="Late.", now=utcnow())
    assert len(rows()) == 1


def test_a_receiver_that_is_down_for_an_hour_gets_every_callback_when_it_is_up(
    job: JobContext, clock: StoreClock
) -> None:
    with listening() as down:
        pass  # nobody listens there any more
    operations = [accept(callback_url=down.url, inline=True).operation_id for _ in range(4)]
    assert {told(one).row.status for one in operations} == {"SUCCEEDED"}
    began = clock.now
    while clock.now - began < HOUR:
        assert set(deliver(job)) <= {"failed"}
        clock.now += timedelta(minutes=1)
    attempts = {row.attempts for row in rows()}
    assert attempts == {4}
    assert {row.last_error for row in rows()} == {"no connection"}
    with listening(port=down.port) as up:
        up.status = 503
        clock.now = max(row.due_at for row in rows() if row.due_at)
        assert deliver(job) == {"failed": 4}
        refused, up.status = list(up.received), 200
        clock.now = max(row.due_at for row in rows() if row.due_at)
        assert deliver(job) == {"delivered": 4}
        taken = up.received[4:]
    documents = [verified(one, SECRETS[0], clock.now) for one in taken]
    assert sorted(one["data"]["operation_id"] for one in documents) == sorted(operations)
    ids = {row.delivery_id for row in rows()}
    assert {one.webhook_id for one in refused} == {one.webhook_id for one in taken} == ids
    assert len(ids) == len(taken) == 4
    assert sorted(one.body for one in refused) == sorted(one.body for one in taken)
    assert deliver(job) == {}


def test_one_receiver_that_is_down_holds_up_no_other(receiver: Receiver, job: JobContext, clock: StoreClock) -> None:
    with listening() as down:
        pass
    accept(callback_url=down.url, inline=True)
    accept(callback_url=receiver.url, inline=True)
    assert deliver(job) == {"failed": 1, "delivered": 1}


def test_slow_receivers_hold_the_others_up_once_and_take_turns(
    job: JobContext, clock: StoreClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes all the time that it has, and has an address of its own for each operation."""
    for address in ("127.0.0.2", "127.0.0.3", "127.0.0.20"):
        for number in range(3):
            accept(callback_url=f"http://{address}:8000/{number}", inline=True)
    order: list[str] = []
    passed = [0.0]

    def post(url: CallbackUrl, *_: object) -> None:
        order.append(url.host)
        passed[0] += 10 if url.host != "127.0.0.20" else 0.5
        if url.host == "127.0.0.3":
            raise NotTaken("no answer in time")

    monkeypatch.setattr(posting, "post", post)
    monkeypatch.setattr(pace, "monotonic", lambda: passed[0])
    assert deliver(job) == {"delivered": 6, "failed": 3}
    slow, slower, quick = "127.0.0.2", "127.0.0.3", "127.0.0.20"
    assert order == [slow, slower, quick, quick, quick, slow, slower, slow, slower]


def test_a_dead_callback_is_seen_and_sent_again_with_the_same_id(
    app: Flask, session: Session, receiver: Receiver, job: JobContext, clock: StoreClock
) -> None:
    accept(callback_url=receiver.url, inline=True)
    receiver.status = 500
    for _ in range(MAX_ATTEMPTS):
        deliver(job)
        clock.now += timedelta(hours=6)
    (row,) = rows()
    assert (row.status, row.last_error, len(receiver.received)) == ("dead", "HTTP 500", MAX_ATTEMPTS)
    found = [one for one in diagnose(session, job.settings, now=utcnow()).findings if one.check == "delivery"]
    assert [(one.state, one.says) for one in found] == [(State.WRONG, "Deliveries that were given up (webhook): 1.")]
    receiver.status = 204
    runner = app.test_cli_runner()
    listed = json.loads(runner.invoke(args=["deliveries", "undelivered"]).stdout)
    assert (listed["kind"], listed["status"], "target" in listed) == ("operation_callback", "dead", False)
    runner.invoke(args=["deliveries", "resend", listed["delivery_id"]])
    assert deliver(job) == {"delivered": 1}
    assert set(receiver.taken) == {row.delivery_id}


def test_what_is_sent_outlives_its_operation(receiver: Receiver, job: JobContext, clock: StoreClock) -> None:
    accepted = accept(callback_url=receiver.url, inline=True)
    with transaction() as session:
        for table in ("dpm_operation_steps", "dpm_operation_payloads", "dpm_operations"):
            session.execute(db.text(f"DELETE FROM {table}"))
    assert deliver(job) == {"delivered": 1}
    assert json.loads(receiver.received[0].body)["data"]["operation_id"] == accepted.operation_id


def submit(app: Flask, callback_url: object) -> Any:
    bearer = bearer_of(app, "pms", [Permission.RUNS_WRITE], "default")
    body = {**batch_json(), "callback_url": callback_url}
    return Caller(app.test_client(), "pms", bearer).send("POST", "/rebalance/analyze/async", json=body)


def test_an_analysis_that_names_an_address_is_accepted_with_it(app: Flask, receiver: Receiver) -> None:
    answer = submit(app, receiver.url)
    assert answer.status_code == 202
    (row,) = rows()
    assert (row.target, row.subject_id) == (receiver.url, answer.json["operation_id"])
    assert submit(app, None).status_code == 202
    assert len(rows()) == 1


REFUSED: tuple[tuple[object, str], ...] = (
    ("http://10.0.0.1/", "The callback URL does not lead to a public address."),
    ("https://169.254.169.254/latest/meta-data/", "The callback URL does not lead to a public address."),
    ("https://[::ffff:169.254.169.254]/", "The callback URL does not lead to a public address."),
    ("https://2130706433/", "The callback URL must write an address in its usual form, such as 192.0.2.7."),
    ("https://me@hooks.example/", "The callback URL must not contain a user name or password."),
    ("https://8.8.8.8:25/", "The callback URL must use one of the ports 80, 443, 8080, 8443."),
    ("", "The callback URL must begin with https:// and a host."),
    ("x" * 2001, "String should have at most 2000 characters"),
    (7, "Input should be a valid string"),
)


@SQLITE
def test_an_address_that_may_not_be_called_is_refused_and_nothing_is_stored(app: Flask) -> None:
    for address, sentence in REFUSED:
        answer = submit(app, address)
        assert answer.status_code == 422
        assert [(one["loc"], one["msg"]) for one in answer.json["detail"]] == [(["body", "callback_url"], sentence)]
    db.session.rollback()
    assert db.session.scalar(db.text("SELECT count(*) FROM dpm_operations")) == 0


@SQLITE
@pytest.mark.environ(LOTUS_CALLBACK_SECRETS="")
def test_where_callbacks_are_not_configured_a_request_for_one_is_refused(app: Flask, receiver: Receiver) -> None:
    answer = submit(app, receiver.url)
    assert (answer.status_code, answer.json) == (422, {"detail": "CALLBACKS_NOT_CONFIGURED"})
    assert submit(app, None).status_code == 202


@SQLITE
@pytest.mark.environ(LOTUS_ENV="production")
def test_in_production_the_address_is_https(app: Flask, receiver: Receiver) -> None:
    answer = submit(app, receiver.url)
    assert [one["msg"] for one in answer.json["detail"]] == ["The callback URL must begin with https://."]
