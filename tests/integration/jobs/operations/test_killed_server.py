"""A server is killed after it has accepted an operation: the jobs of another process carry it out, once, and say so, once."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from standardwebhooks.webhooks import Webhook

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.delivery import deliver_pending
from lotus_web.jobs.operations import run_due
from lotus_web.store.session import db
from tests.contract.callers import bearer_of
from tests.servers.live_server import LiveServer
from tests.servers.receiver import Receiver, listening
from tests.support.proposals import create_json

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.environ(
        DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY",
        LOTUS_CALLBACK_SECRETS=SECRET,
        LOTUS_CALLBACK_NETWORKS="127.0.0.1/32",
        LOTUS_JOBS="off",
    ),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def submit(app: Flask, server: LiveServer, callback_url: str) -> Any:
    """Post a proposal with a new token, and return what was accepted."""
    headers = {
        "Authorization": f"Bearer {bearer_of(app, 'pms', [Permission.PROPOSALS_WRITE], 'default')}",
        "Content-Type": "application/json",
        "Idempotency-Key": "key-1",
    }
    body = json.dumps(create_json(created_by="pms") | {"callback_url": callback_url}).encode()
    request = urllib.request.Request(f"{server.url}/rebalance/proposals/async", body, headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 202
        return json.load(answer)


def test_what_was_accepted_survives_kill_9_and_is_done_and_told_once(
    app: Flask, live_server: LiveServer, receiver: Receiver
) -> None:
    accepted = submit(app, live_server, receiver.url)
    live_server.stop(signal.SIGKILL)
    assert counts() == {"PENDING": 1, "proposals": 0, "deliveries": 0}

    done = json.loads(live_server.flask("jobs", "tick"))
    assert done["operations"] == {"finished": 1, "released": 0}
    assert done["delivery"]["delivered"] == 1
    again = JobContext(app.extensions["lotus_settings"])
    assert run_due(again, utcnow())["finished"] == deliver_pending(again, utcnow())["delivered"] == 0

    assert counts() == {"SUCCEEDED": 1, "proposals": 1, "deliveries": 1}
    (one,) = receiver.received
    told = Webhook(SECRET).verify(one.body, one.headers)
    assert (told["type"], told["data"]["operation_id"]) == ("operation.succeeded", accepted["operation_id"])
    assert told["data"]["status_url"] == accepted["status_url"]


def counts() -> dict[str, int]:
    """Return how many operations have which status, and how many proposals and deliveries there are."""
    db.session.rollback()
    statuses = db.session.execute(db.text("SELECT status, count(*) FROM dpm_operations GROUP BY status"))
    tables = ("proposals", "deliveries")
    rows = {table: db.session.scalar(db.text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}
    return dict(statuses.all()) | rows
