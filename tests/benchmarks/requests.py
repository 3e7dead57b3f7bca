"""The measured requests, by the names that the report prints."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from tests.benchmarks.desk import Desk, workflow_id_of
from tests.benchmarks.measure import Call


def _get(desk: Desk, path: Callable[[int], str]) -> Call:
    def call(number: int) -> None:
        answer = desk.client.get(path(number), headers=desk.headers)
        assert answer.status_code == 200, answer.text

    return call


def _page(desk: Desk, path: Callable[[int], str]) -> Call:
    def call(number: int) -> None:
        answer = desk.page.get(path(number))
        assert answer.status_code == 200, answer.status_code

    return call


def measured_requests(desk: Desk, times: int) -> dict[str, Call]:
    """Return every measured request; the two that write come last, so that they do not change what the others read."""
    runs = desk.run_ids
    pending: list[str] = []

    def run_path(number: int) -> str:
        return f"/rebalance/runs/{runs[number % len(runs)]}"

    def item_path(number: int) -> str:
        return f"/inbox/{quote(workflow_id_of(desk, runs[number % len(runs)]), safe='')}"

    items = {number: item_path(number) for number in range(-10, times)}

    def simulate(number: int) -> None:
        pending.append(desk.simulate(number, "bench"))

    def act(number: int) -> None:
        body = {"action": "APPROVE", "reason_code": "WITHIN_LIMITS", "actor_id": "approver"}
        path = f"/rebalance/runs/{pending.pop()}/workflow/actions"
        answer = desk.client.post(path, json=body, headers=desk.headers)
        assert answer.status_code == 200, answer.text

    return {
        "GET /health/live": _get(desk, lambda _number: "/health/live"),
        "GET run": _get(desk, run_path),
        "GET runs?limit=50": _get(desk, lambda _number: "/rebalance/runs?limit=50"),
        "GET workflow": _get(desk, lambda number: run_path(number) + "/workflow"),
        "GET decisions?limit=50": _get(desk, lambda _number: "/rebalance/workflow/decisions?limit=50"),
        "inbox page": _page(desk, lambda _number: "/inbox"),
        "run page": _page(desk, lambda number: items[number]),
        "POST simulate": simulate,
        "POST action": act,
    }
