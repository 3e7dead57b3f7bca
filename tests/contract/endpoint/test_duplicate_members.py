"""A body that names a member twice is refused by every JSON route: two readers would read two things in it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.contract.callers import ALL
from tests.contract.conftest import Count, written
from tests.contract.endpoint.test_route_matrix import World, cells
from tests.contract.endpoint.test_route_matrix import world as world

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


def test_no_route_takes_a_body_that_names_a_member_twice(world: World, count_rows: Callable[[], Count]) -> None:
    bearer = world.bearer(*ALL)
    before, asked = count_rows(), 0
    for cell in cells(world.app):
        if cell.body is None:
            continue
        text = json.dumps(cell.body)
        name, value = next(iter(cell.body.items()))
        raw = f"{{{json.dumps(name)}: {json.dumps(value)}, {text[1:]}".encode()
        answer = world.ask(cell, bearer, raw=raw)
        # Events are answered in their own way (wrong shape: 400).
        assert answer.status_code == (400 if cell.rule == "/api/v1/events" else 422), (cell.name, answer.text)
        assert f'names the member \\"{name}\\" more than once' in answer.text, cell.name
        asked += 1
    assert asked > 20
    assert written(before, count_rows()) == {"dg_audit_records": asked}
