"""Looking at lineage, operations, replays, holds, bundles and keys leaves the store as it is, to the byte (delta 15)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import make_url, text

from lotus_web.store.session import transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.operations.test_operations import LIVE, operation
from tests.support import runs
from tests.support.people import post

pytestmark = pytest.mark.environ(
    DPM_WORKFLOW_ENABLED="true",
    DPM_LINEAGE_APIS_ENABLED="true",
    DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
    DPM_ARTIFACT_STORE_MODE="PERSISTED",
)


def test_no_page_changes_the_store(app: Flask, client_of: ClientOf, content: Callable[[], str]) -> None:
    run_id, ada = runs.record(app), client_of("ada")
    done, waiting = operation(app, inline=True), operation(app)
    replay = post(ada, f"/runs/{run_id}/replay").location
    before = content()
    for path in (
        "/lineage",
        f"/lineage/{run_id}?depth=5",
        f"/lineage/{runs.item_of(run_id)}",
        "/lineage/nobody",
        "/operations",
        *(f"/operations/{one}{part}" for one in (done, waiting) for part in ("", "/raw", "/support-bundle")),
        replay,
        f"/runs/{run_id}",
        f"/runs/{run_id}/legal-hold",
        f"/runs/{run_id}/support-bundle",
        "/idempotency/key-1",
        f"/search?q={done}",
    ):
        assert ada.get(path).status_code in (200, 303, 404), path
        assert ada.get(path, headers=LIVE).status_code in (200, 303, 404), path
    assert content() == before


def test_the_digest_sees_a_write_and_one_that_changes_no_value(app: Flask, content: Callable[[], str]) -> None:
    found = [content()]
    runs.record(app)
    found.append(content())
    if make_url(app.config["SQLALCHEMY_DATABASE_URI"]).get_backend_name() == "postgresql":
        with app.app_context(), transaction() as session:
            session.execute(text("UPDATE dg_workflow_items SET version = version"))
        found.append(content())
    assert len(set(found)) == len(found)
