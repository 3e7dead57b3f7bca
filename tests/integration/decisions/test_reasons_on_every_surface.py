"""Which reason codes each door takes.

The RFC's routes take every well-formed code, listed or not: that is their contract (dpm-api §8.2), and clients bring their
own. ``/api/v1`` acts on the same items, so it follows them until a deployment closes the list with its own. A form takes
what it offers: another code cannot come from it.
"""

from __future__ import annotations

import pytest
from flask import Flask

from lotus_web.domain.items.actions import Action
from tests.support import runs
from tests.support.surfaces import ApiDoor, FormDoor, RfcDoor, Tried

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]

DONE, INVALID = "done", "invalid"


def answers(app: Flask, code: str) -> dict[str, str]:
    """Approve a run's item with this code through each door and return what each makes of it."""
    told = {}
    for door in (RfcDoor(app), ApiDoor(app), FormDoor(app)):
        logging_refusals = Tried(runs.item(app, key=f"key-{door.name}"), 1, Action.APPROVE, code=code)
        told[door.name] = door.send(logging_refusals, permitted=True).kind
    return told


@pytest.mark.parametrize(
    ("code", "rfc", "api", "form"),
    [
        ("WITHIN_MANDATE", DONE, DONE, DONE),
        ("OF_OUR_OWN_SYSTEM", DONE, DONE, INVALID),
        ("lower", INVALID, INVALID, INVALID),
    ],
)
def test_the_built_in_list_is_open_to_programs(app: Flask, code: str, rfc: str, api: str, form: str) -> None:
    assert answers(app, code) == {"rfc": rfc, "api": api, "form": form}


@pytest.mark.environ(LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "All is fine by us"}]}')
@pytest.mark.parametrize(
    ("code", "rfc", "api", "form"),
    [
        ("FINE", DONE, DONE, DONE),
        ("WITHIN_MANDATE", DONE, INVALID, INVALID),
        ("lower", INVALID, INVALID, INVALID),
    ],
)
def test_a_deployments_own_list_is_closed_but_for_the_rfcs_routes(
    app: Flask, code: str, rfc: str, api: str, form: str
) -> None:
    assert answers(app, code) == {"rfc": rfc, "api": api, "form": form}
