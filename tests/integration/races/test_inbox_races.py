"""Twenty at one inbox at once, programs by the API and people by their forms: each item goes to one of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.models import WorkflowAction, WorkflowItem
from lotus_web.store.session import db
from tests.contract.callers import ALL, Caller, bearer_of, segment
from tests.servers.patience import PATIENCE
from tests.support.events import open_item, open_items
from tests.support.histories import assert_provable
from tests.support.people import csrf_token, hire, sign_in

pytestmark = pytest.mark.environ(LOTUS_DATABASE_POOL_SIZE="24", DPM_WORKFLOW_ENABLED="true")
AT_ONCE, PEOPLE = 20, ("nora", "rita", "tom")
MIXED = ("approve", "reject", "request_change", "escalate", "claim")
Send = Callable[[], Any]


def programs(app: Flask, number: int) -> list[Caller]:
    """Return service accounts, each with a token and a client of its own."""
    names = [f"bot-{place}" for place in range(number)]
    return [Caller(app.test_client(), name, bearer_of(app, name, ALL, "default")) for name in names]


def reviewers(app: Flask) -> list[tuple[FlaskClient, str]]:
    """Return people who have signed in, each with a token for a form."""
    signed_in = []
    for name in PEOPLE:
        hire(app, name, Role.REVIEWER)
        client = app.test_client()
        assert sign_in(client, name).status_code == 303
        signed_in.append((client, csrf_token(client)))
    return signed_in


def at_once(calls: list[Send]) -> list[Any]:
    """Let all start at the same moment and return their answers in order."""
    together = Barrier(len(calls))

    def run(call: Send) -> Any:
        together.wait(timeout=PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def by_form(client: FlaskClient, token: str, path: str, **typed: str) -> Send:
    return lambda: client.post(path, data={"csrf_token": token, **typed})


def by_api(caller: Caller, path: str, **body: Any) -> Send:
    return lambda: caller.send("POST", path, json=body)


def test_twenty_who_take_the_next_item_get_twenty_the_most_urgent(app: Flask) -> None:
    late = open_items(app, [f"late-{place:02d}" for place in range(AT_ONCE)], at=utcnow() - timedelta(hours=5))
    open_items(app, [f"fresh-{place:02d}" for place in range(5)], at=utcnow())
    forms = [by_form(client, token, "/inbox/next") for client, token in reviewers(app)]
    answers = at_once([by_api(bot, "/workflows/next") for bot in programs(app, AT_ONCE - len(forms))] + forms)
    assert {answer.status_code for answer in answers} == {200, 303}
    with app.app_context():
        held = db.session.execute(
            select(WorkflowItem.workflow_id, WorkflowItem.assigned_account_id).where(
                WorkflowItem.claimed_at.is_not(None)
            )
        ).all()
        assert sorted(item for item, _ in held) == sorted(late)
        assert len({holder for _, holder in held}) == AT_ONCE
        assert sorted(db.session.scalars(select(WorkflowAction.workflow_id))) == sorted(late)
        assert_provable()


def test_of_twenty_different_actions_on_one_version_one_succeeds_and_nineteen_are_told_who_won(
    app: Flask,
) -> None:
    workflow_id = open_item(app, "t", at=utcnow())
    path, bots = segment(workflow_id), programs(app, AT_ONCE - len(PEOPLE))
    asked = [MIXED[place % len(MIXED)] for place in range(AT_ONCE)]
    calls = [
        by_api(bot, f"/workflows/{path}/actions", action=action, reason="seen by all", version=1)
        for bot, action in zip(bots, asked, strict=False)
    ]
    typed = {"reason_code": "OTHER", "text": "seen by all", "version": "1"}
    for (client, token), action in zip(reviewers(app), asked[len(bots) :], strict=True):
        calls.append(by_form(client, token, f"/inbox/{path}", action=action, **typed))
    answers = at_once(calls)
    with app.app_context():
        columns = (WorkflowAction.actor_id, WorkflowAction.action_type, WorkflowAction.occurred_at)
        (done,) = db.session.execute(select(*columns)).all()
        assert_provable()
    won = [place for place, answer in enumerate(answers) if answer.status_code in (200, 303)]
    assert [asked[place] for place in won] == [done.action_type]
    assert [answer.status_code for answer in answers].count(409) == AT_ONCE - 1
    for place, answer in enumerate(answers):
        if place in won:
            continue
        if place < len(bots):
            told = answer.json["error"]
            assert told["code"] == "version_conflict"
            assert (told["details"]["changed_by"], told["details"]["action"]) == (done.actor_id, done.action_type)
            assert told["details"]["changed_at"] == done.occurred_at.isoformat(timespec="microseconds")
        else:
            assert f"While you were looking, {done.actor_id} " in unescape(answer.text)
