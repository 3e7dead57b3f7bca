"""Rights that go while a request waits for its turn: it is refused, whoever asked and in whichever way the rights went."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from lotus_web.api.endpoint import auth
from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.models import ApiToken
from lotus_web.services.accounts import people, service_accounts, tokens
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.sign_in.sessions import close_sessions_of
from lotus_web.store.session import recheck_under_lock, transaction
from lotus_web.web.guard import access
from tests.contract.callers import ALL, Caller, bearer_of, review_request, segment
from tests.servers.patience import PATIENCE
from tests.support.events import open_item
from tests.support.histories import count
from tests.support.people import csrf_token, hire, sign_in

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
Change = Callable[[Session], object]
Send = Callable[[], Any]


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Semaphore:
    """Released whenever a request has passed a check and said what to check again."""
    found = Semaphore(0)

    def noted(check: Callable[[Session], None]) -> None:
        recheck_under_lock(check)
        found.release()

    for module in (access, auth):
        monkeypatch.setattr(module, "recheck_under_lock", noted)
    return found


def while_it_waits(app: Flask, send: Send, change: Change, passed: Semaphore, checks: int) -> Any:
    """Hold the tenant's lock until a request has passed its checks, change something, and return the request's answer."""
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            lock_tenant(session, "default")
            waiting = pool.submit(send)
            for _ in range(checks):
                assert passed.acquire(timeout=PATIENCE)
            change(session)
        return waiting.result(PATIENCE)


PEOPLE: dict[str, tuple[Change, int]] = {
    "nothing": (lambda session: None, 303),
    "disabled": (lambda session: people.disable_person(session, name="nora", now=utcnow()), 401),
    "signed out": (lambda session: close_sessions_of(session, name="nora", now=utcnow()), 401),
    "no role": (
        lambda session: people.take_role(session, name="nora", role=Role.REVIEWER, tenant_id="default"),
        403,
    ),
}


@pytest.mark.parametrize("what", PEOPLE)
def test_a_person_whose_rights_went_meanwhile_is_refused(app: Flask, what: str, passed: Semaphore) -> None:
    change, status = PEOPLE[what]
    path = f"/inbox/{segment(open_item(app, 't', at=utcnow()))}"
    hire(app, "nora")
    client = app.test_client()
    sign_in(client, "nora")
    form = {
        "csrf_token": csrf_token(client),
        "action": "approve",
        "reason_code": "OTHER",
        "text": "seen",
        "version": "1",
    }
    answer = while_it_waits(app, lambda: client.post(path, data=form), change, passed, checks=1)
    assert answer.status_code == status, answer.text
    assert decided(app) == (1 if what == "nothing" else 0)


ADMINISTRATORS: dict[str, tuple[Change, int]] = {
    "nothing": (lambda session: None, 0),
    "disabled": (lambda session: people.disable_person(session, name="ada", now=utcnow()), 401),
    "no role": (lambda session: people.take_role(session, name="ada", role=Role.ADMIN, tenant_id="default"), 403),
}
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "person": ("/admin/people/nora", {"change": "disable"}),
    "token": (
        "/admin/tokens",
        {"account": "bot", "permissions": "runs_read", "days": "30", "token_id": tokens.new_token_id()},
    ),
    "account": ("/admin/accounts/robot", {"change": "disable"}),
}


@pytest.mark.parametrize("asked", CHANGES)
@pytest.mark.parametrize("what", ADMINISTRATORS)
def test_an_administrator_whose_rights_went_meanwhile_changes_nothing(
    app: Flask, what: str, asked: str, passed: Semaphore
) -> None:
    (change, status), (path, fields) = ADMINISTRATORS[what], CHANGES[asked]
    hire(app, "nora")
    hire(app, "ada", Role.ADMIN)
    bearer_of(app, "robot", ALL, "default")
    client = app.test_client()
    sign_in(client, "ada")
    form = {"csrf_token": csrf_token(client)} | fields
    answer = while_it_waits(app, lambda: client.post(path, data=form), change, passed, checks=1)
    done = 200 if asked == "token" else 303
    assert answer.status_code == (done if what == "nothing" else status), answer.text


def fewer_permissions(session: Session) -> None:
    session.execute(update(ApiToken).where(ApiToken.account == "bot").values(permissions=["runs_read"]))


def revoked(session: Session) -> None:
    for one in session.query(ApiToken).filter(ApiToken.account == "bot"):
        tokens.revoke_token(session, token_id=one.token_id, now=utcnow())


PROGRAMS: dict[str, tuple[Change, int]] = {
    "nothing": (lambda session: None, 200),
    "revoked": (revoked, 401),
    "disabled": (lambda session: service_accounts.disable_account(session, name="bot", now=utcnow()), 401),
    "fewer permissions": (fewer_permissions, 403),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_whose_token_went_meanwhile_is_refused(app: Flask, what: str, passed: Semaphore) -> None:
    change, status = PROGRAMS[what]
    item = segment(open_item(app, "t", at=utcnow()))
    bot = Caller(app.test_client(), "bot", bearer_of(app, "bot", ALL, "default"))
    body = {"action": "approve", "reason": "seen", "version": 1}
    answer = while_it_waits(app, lambda: bot.send("POST", f"/workflows/{item}/actions", json=body), change, passed, 1)
    assert answer.status_code == status, answer.text
    assert decided(app) == (1 if what == "nothing" else 0)


def test_nobody_speaks_for_a_person_who_was_disabled_meanwhile(app: Flask, passed: Semaphore) -> None:
    hire(app, "nora")
    bot = Caller(app.test_client(), "bot", bearer_of(app, "bot", ALL, "default"))
    run_id = bot.run(review_request())["rebalance_run_id"]
    while passed.acquire(blocking=False):
        pass
    disable, _ = PEOPLE["disabled"]
    answer = while_it_waits(app, lambda: bot.decide(run_id, actor="nora"), disable, passed, checks=2)
    assert (answer.status_code, answer.json["detail"]) == (403, "ACTOR_MISMATCH")
    assert decided(app) == 0


def decided(app: Flask) -> int:
    with app.app_context():
        return count("dg_workflow_actions")
