"""Exports of every kind share a few places, and give them back however they end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from lotus_web.http.export_slots import SLOTS, most_at_once
from tests.contract.callers import ALL, ENGINE, Caller, bearer_of
from tests.integration.conftest import ClientOf
from tests.support import runs

pytestmark = [
    pytest.mark.stores("sqlite"),
    pytest.mark.environ(LOTUS_WEB_THREADS="8", PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED="true"),
]
PLACES = most_at_once(8)
PAGES = (
    "/decisions.csv", "/runs.csv", "/audit.csv", "/proposals.csv", "/inbox/w/export.json", "/inbox/w/export.zip", "/decisions/d/receipt.json",
    "/runs/r/support-bundle", "/operations/o/support-bundle", "/proposals/p/versions/1/artifact",
)  # fmt: skip
ROUTES = (
    "/api/v1/admin/workflows/w/export", "/api/v1/admin/workflows/w/archive", "/api/v1/admin/proposals/p/export", "/api/v1/decisions/d/receipt",
    "/api/v1/rebalance/runs/r/support-bundle", "/api/v1/rebalance/runs/by-correlation/c/support-bundle", "/api/v1/rebalance/runs/idempotency/k/support-bundle",
    "/api/v1/rebalance/runs/by-operation/o/support-bundle",
)  # fmt: skip


@contextmanager
def no_place(app: Flask) -> Iterator[None]:
    """Take every place, as slow readers of exports do."""
    slots: threading.BoundedSemaphore = app.extensions[SLOTS]
    taken = [slots.acquire(blocking=False) for _ in range(PLACES)]
    assert all(taken)
    assert not slots.acquire(blocking=False)
    yield
    for _ in taken:
        slots.release()


def test_without_a_place_every_export_is_refused(app: Flask, client_of: ClientOf) -> None:
    person, program = (
        client_of("max"),
        Caller(app.test_client(), ENGINE, bearer_of(app, ENGINE, ALL, "default"), prefix=""),
    )
    with no_place(app):
        answers = {path: person.get(path) for path in PAGES} | {path: program.get(path) for path in ROUTES}
        told = {path: (answer.status_code, answer.headers.get("Retry-After")) for path, answer in answers.items()}
        assert person.get("/runs").status_code == 200
    assert told == dict.fromkeys((*PAGES, *ROUTES), (429, "5"))


def test_a_place_is_given_back_by_what_is_sent_refused_and_dropped(app: Flask, client_of: ClientOf) -> None:
    run_id, client = runs.record(app, key="a"), client_of("max")
    bundle = f"/runs/{run_id}/support-bundle"
    for _ in range(PLACES + 1):
        assert client.get("/runs/nothing/support-bundle").status_code == 404
        client.head(bundle).close()
        with client.get(bundle) as answer:
            assert (answer.status_code, int(answer.headers["Content-Length"])) == (200, len(answer.data))
    with no_place(app):  # all are there again
        pass


def test_a_bundle_keeps_its_place_until_it_is_sent(app: Flask, client_of: ClientOf) -> None:
    run_id, client = runs.record(app, key="a"), client_of("max")
    begun = [client.get(f"/runs/{run_id}/support-bundle") for _ in range(PLACES)]
    assert client.get("/decisions.csv").status_code == 429
    for answer in begun:
        answer.close()
    assert client.get("/decisions.csv").status_code == 200
