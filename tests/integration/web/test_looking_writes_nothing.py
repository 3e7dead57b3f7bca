"""Looking at lineage, operations, replays, holds, bundles and keys leaves the store as it is, to the byte (delta 15)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url

from lotus_web.db import db
from tests import desk
from tests.integration.conftest import ClientOf
from tests.integration.web.test_operations import LIVE, operation
from tests.people import post

pytestmark = [
    pytest.mark.stores("sqlite"),
    pytest.mark.environ(
        DPM_WORKFLOW_ENABLED="true",
        DPM_LINEAGE_APIS_ENABLED="true",
        DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
        DPM_ARTIFACT_STORE_MODE="PERSISTED",
    ),
]


@pytest.fixture
def content(app: Flask, store_url: str) -> Callable[[], str]:
    """``content()``: a digest of the SQLite file with everything in it."""

    def digest() -> str:
        with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return hashlib.sha256(Path(str(make_url(store_url).database)).read_bytes()).hexdigest()

    return digest


def test_no_page_changes_the_file(app: Flask, client_of: ClientOf, content: Callable[[], str]) -> None:
    run_id, ada = desk.record(app), client_of("ada")
    done, waiting = operation(app, inline=True), operation(app)
    replay = post(ada, f"/runs/{run_id}/replay").location
    before = content()
    for path in (
        "/lineage",
        f"/lineage/{run_id}?depth=5",
        f"/lineage/{desk.item_of(run_id)}",
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


def test_the_digest_sees_a_write(app: Flask, content: Callable[[], str]) -> None:
    before = content()
    desk.record(app)
    assert content() != before
