"""The measured requests, by the names that the report prints."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from flask.testing import FlaskClient

from tests.benchmarks.loaded import LoadedStore
from tests.benchmarks.measure import Call

Path = Callable[[int], str]


def json_paths(loaded: LoadedStore) -> dict[str, Path]:
    """Return the paths of the measured JSON routes; a path takes the number of the call, so that calls differ."""

    def run(number: int) -> str:
        return f"/rebalance/runs/{loaded.run(number).run_id}"

    def item(number: int) -> str:
        return f"/api/v1/workflows/{quote(loaded.run(number).workflow_id, safe='')}"

    return {
        "GET /health/live": lambda _number: "/health/live",
        "GET run": run,
        "GET runs?limit=50": lambda _number: "/rebalance/runs?limit=50",
        "GET runs of a portfolio": lambda number: (
            f"/rebalance/runs?limit=50&portfolio_id={loaded.run(number).portfolio_id}"
        ),
        "GET workflow": lambda number: run(number) + "/workflow",
        "GET decisions?limit=50": lambda _number: "/rebalance/workflow/decisions?limit=50",
        "GET lineage": lambda number: f"/rebalance/lineage/{loaded.run(number).run_id}",
        "GET support bundle": lambda number: run(number) + "/support-bundle",
        "GET summary": lambda _number: "/rebalance/supportability/summary",
        "GET operations?limit=50": lambda _number: "/rebalance/operations?limit=50",
        "GET v1 workflows": lambda _number: "/api/v1/workflows",
        "GET v1 workflow": item,
    }


def page_paths(loaded: LoadedStore) -> dict[str, tuple[str, Path]]:
    """Return who looks at which measured page."""
    return {
        "inbox page": ("reviewer", lambda _number: "/inbox"),
        "inbox page, all open": ("reviewer", lambda _number: "/inbox?tab=open"),
        "item page": ("reviewer", lambda number: f"/inbox/{quote(loaded.run(number).workflow_id, safe='')}"),
        "SLA board": ("manager", lambda _number: "/sla"),
    }


def measured_requests(loaded: LoadedStore) -> dict[str, Call]:
    """Return every measured request; the two that write come last, so that they do not change what the others read."""
    requests = {name: _get(loaded.client, path, loaded.headers) for name, path in json_paths(loaded).items()}
    people = {"reviewer": loaded.reviewer, "manager": loaded.manager}
    requests |= {name: _get(people[who], path) for name, (who, path) in page_paths(loaded).items()}
    pending: list[str] = []

    def simulate(number: int) -> None:
        pending.append(loaded.simulate(number, "bench"))

    def act(_number: int) -> None:
        body = {"action": "APPROVE", "reason_code": "WITHIN_LIMITS", "actor_id": "approver"}
        path = f"/rebalance/runs/{pending.pop()}/workflow/actions"
        answer = loaded.client.post(path, json=body, headers=loaded.headers)
        assert answer.status_code == 200, answer.text

    return requests | {"POST simulate": simulate, "POST action": act}


def _get(client: FlaskClient, path: Path, headers: dict[str, str] | None = None) -> Call:
    def call(number: int) -> None:
        answer = client.get(path(number), headers=headers)
        assert answer.status_code == 200, answer.text

    return call
