"""The three doors through which an action reaches an item: the RFC route, ``/api/v1`` and the HTML form; each answer in one shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.domain.access import Permission
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.transitions import override_phrase
from tests.contract.callers import Caller, bearer_of, segment
from tests.support import people

CODED = (Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGE, Action.ESCALATE, Action.OVERRIDE)
CODE, TEXT, TARGET = "OTHER", "as discussed", "manager"
# What is not done, by the status of the answer.
REFUSED = {403: "forbidden", 409: "conflict", 422: "invalid"}
_NOTICE = re.compile(r'id="outcome".*?<p class="notice__title">.*?</span>(.*?)</p>', re.DOTALL)
_SUMMARY = re.compile(r'class="error-summary__list">\s*<li>(?:<a [^>]*>)?(.*?)(?:</a>)?</li>', re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """``done``, or what REFUSED calls it with the sentence that a person reads; the RFC routes tell conflicts by code alone."""

    kind: str
    sentence: str = ""


@dataclass(frozen=True)
class Tried:
    """An action on an item as it stands; ``complete`` is False for one that leaves out what it needs."""

    workflow_id: str
    version: int
    action: Action
    complete: bool = True
    code: str = CODE


class ApiDoor:
    """``POST /api/v1/workflows/{id}/actions`` with tokens that hold exactly what is needed, or everything else."""

    name = "api"

    def __init__(self, app: Flask):
        self.app = app
        self._callers: dict[frozenset[Permission], Caller] = {}

    def takes(self, action: Action, *, of_run: bool) -> bool:
        return True

    def send(self, logging_refusals: Tried, *, permitted: bool) -> Answer:
        caller = self.caller(logging_refusals.action, permitted)
        answer = caller.send(
            "POST", f"/workflows/{segment(logging_refusals.workflow_id)}/actions", json=self._body(logging_refusals)
        )
        if answer.status_code == 200:
            assert answer.json["data"]["action"]["action_type"] == logging_refusals.action.value
            return Answer("done")
        error = answer.json["error"]
        codes = {403: "forbidden", 409: "invalid_transition", 422: "invalid_argument"}
        assert error["code"] == codes[answer.status_code], answer.text
        if answer.status_code == 403:
            assert error["details"] == {"permission": ACTIONS[logging_refusals.action].permission.value}
        return Answer(REFUSED[answer.status_code], error["message"])

    def caller(self, action: Action, permitted: bool) -> Caller:
        """Return an account with the permission of the action, or with all but that."""
        needed = ACTIONS[action].permission
        others = frozenset(Permission) - {needed}
        # The holder of a claim may let go; so may who assigns.
        held = frozenset({needed, Permission.WORKFLOW_ASSIGN}) if permitted else others
        if held not in self._callers:
            account = f"account-{len(self._callers)}"
            self._callers[held] = Caller(self.app.test_client(), account, bearer_of(self.app, account, held, "default"))
        return self._callers[held]

    def _body(self, logging_refusals: Tried) -> dict[str, Any]:
        body: dict[str, Any] = {"action": logging_refusals.action.value, "version": logging_refusals.version}
        if logging_refusals.action in CODED:
            body |= {
                "reason_code": logging_refusals.code,
                "confirm_text": override_phrase(logging_refusals.workflow_id),
            }
        if logging_refusals.complete and logging_refusals.action in (*CODED, Action.COMMENT):
            body["reason"] = TEXT
        if logging_refusals.complete and logging_refusals.action is Action.REASSIGN:
            body["assigned_role"] = TARGET
        return body


class RfcDoor(ApiDoor):
    """``POST /rebalance/runs/{id}/workflow/actions``: three actions, for items of runs."""

    name = "rfc"

    def takes(self, action: Action, *, of_run: bool) -> bool:
        return of_run and ACTIONS[action].gate is not None

    def send(self, logging_refusals: Tried, *, permitted: bool) -> Answer:
        caller, run_id = (
            self.caller(logging_refusals.action, permitted),
            logging_refusals.workflow_id.rpartition(":")[2],
        )
        gate = ACTIONS[logging_refusals.action].gate
        assert gate is not None
        body = {"action": gate.value, "comment": TEXT, "actor_id": caller.account}
        if logging_refusals.complete:
            body["reason_code"] = logging_refusals.code
        answer = caller.send("POST", f"/rebalance/runs/{run_id}/workflow/actions", json=body)
        if answer.status_code == 200:
            return Answer("done")
        codes = {403: "FORBIDDEN", 409: "DPM_WORKFLOW_INVALID_TRANSITION"}
        if answer.status_code in codes:
            assert answer.json["detail"] == codes[answer.status_code], answer.text
        return Answer(REFUSED[answer.status_code], answer.json.get("message", ""))


@dataclass
class FormDoor:
    """``POST /inbox/{id}`` by people who are signed in: the least role that may, and the highest that may not."""

    app: Flask
    name = "form"
    _clients: dict[str, tuple[FlaskClient, str]] = field(default_factory=dict)

    def takes(self, action: Action, *, of_run: bool) -> bool:
        return True

    def send(self, logging_refusals: Tried, *, permitted: bool) -> Answer:
        client, token = self._client(self._person(logging_refusals.action, permitted))
        fields = {
            "csrf_token": token,
            "action": logging_refusals.action.value,
            "version": str(logging_refusals.version),
        }
        if logging_refusals.action in CODED:
            fields |= {
                "reason_code": logging_refusals.code,
                "confirm_text": override_phrase(logging_refusals.workflow_id),
            }
        if logging_refusals.complete and logging_refusals.action in (*CODED, Action.COMMENT):
            fields["text"] = TEXT
        if logging_refusals.complete and logging_refusals.action is Action.REASSIGN:
            fields["assigned_role"] = TARGET
        return self._read(client.post(f"/inbox/{segment(logging_refusals.workflow_id)}", data=fields))

    def _person(self, action: Action, permitted: bool) -> str:
        if permitted:
            return {Action.OVERRIDE: "ada", Action.REASSIGN: "max", Action.RELEASE: "max"}.get(action, "nora")
        return {Action.OVERRIDE: "max", Action.REASSIGN: "nora"}.get(action, "vera")

    def _client(self, name: str) -> tuple[FlaskClient, str]:
        if name not in self._clients:
            people.hire(self.app, name)
            client = self.app.test_client()
            assert people.sign_in(client, name).status_code == 303
            self._clients[name] = client, people.csrf_token(client)
        return self._clients[name]

    def _read(self, answer: TestResponse) -> Answer:
        if answer.status_code == 303:
            return Answer("done")
        found = (_SUMMARY if answer.status_code == 422 else _NOTICE).search(answer.text)
        assert found, answer.text
        return Answer(REFUSED[answer.status_code], unescape(found.group(1)).strip())
