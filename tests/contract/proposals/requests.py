"""An adviser's and a reviewer's requests about proposals, through the routes."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.contract.callers import Caller, segment
from tests.support.proposals import create_json, version_json

PROPOSALS = "/rebalance/proposals"
STATE_REQUIRED = "STATE_CONFLICT: expected_state is required"
STATE_MISMATCH = "STATE_CONFLICT: expected_state mismatch"
KEY_CONFLICT = "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"
DISABLED = "PROPOSAL_SIMULATION_DISABLED: set options.enable_proposal_simulation=true"


def sent(caller: Caller, path: str, body: Any, key: str | None = None, correlation: str | None = None) -> TestResponse:
    """Post a body, under a key and a correlation id where they are given."""
    headers = {} if key is None else {"Idempotency-Key": key}
    if correlation is not None:
        headers["X-Correlation-Id"] = correlation
    return caller.send("POST", path, json=body, headers=headers)


def create(caller: Caller, body: Any = None, *, key: str = "key-1", correlation: str | None = None) -> TestResponse:
    """Post a proposal of the caller's own, unless a body is given."""
    asked = create_json(created_by=caller.account) if body is None else body
    return sent(caller, PROPOSALS, asked, key, correlation)


def created(caller: Caller, body: Any = None, *, key: str = "key-1") -> str:
    """Create a proposal and return its id."""
    answer = create(caller, body, key=key)
    assert answer.status_code == 200, answer.text
    found: str = answer.json["proposal"]["proposal_id"]
    return found


def path_of(proposal_id: str, *parts: str) -> str:
    """Return the address of a proposal, or of a part of it."""
    return "/".join([PROPOSALS, segment(proposal_id), *parts])


def add_version(caller: Caller, proposal_id: str, body: Any = None, *, key: str | None = None) -> TestResponse:
    """Post a version of the caller's own, unless a body is given."""
    asked = version_json(created_by=caller.account) if body is None else body
    return sent(caller, path_of(proposal_id, "versions"), asked, key)


def step(
    caller: Caller, proposal_id: str, event: str, state: str | None, *, key: str | None = None, **fields: Any
) -> TestResponse:
    """Post an event that is meant for a state."""
    body = {"event_type": event, "actor_id": caller.account, "expected_state": state} | fields
    return sent(caller, path_of(proposal_id, "transitions"), body, key)


def approval(
    caller: Caller, proposal_id: str, kind: str, state: str | None, *, key: str | None = None, **fields: Any
) -> TestResponse:
    """Post an approval that is meant for a state; it is given unless said otherwise."""
    body = {"approval_type": kind, "approved": True, "actor_id": caller.account, "expected_state": state} | fields
    return sent(caller, path_of(proposal_id, "approvals"), body, key)


def refusal(answer: TestResponse) -> tuple[int, Any]:
    """Return the status of an answer and the code that it names."""
    return answer.status_code, answer.json["detail"]
