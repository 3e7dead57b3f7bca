"""The page of the audit log shows the last checkpoint and whether it holds, and the button verifies against it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from tests.conftest import MakeApp
from tests.integration.conftest import ClientOf
from tests.support.histories import unguarded
from tests.support.logs import fill, log_settings, sign
from tests.support.people import post

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment that signs checkpoints, with a log of three entries."""
    made = make_app(**log_settings(tmp_path))
    with made.app_context():
        fill(3)
    return made


def strip(page: str) -> str:
    """Return the words of the panel about the chain."""
    start = page.index('aria-label="The chain"')
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[start : page.index("</section>", start)]))


def test_the_last_checkpoint_is_shown_with_whether_it_holds(app: Flask, client_of: ClientOf) -> None:
    max_ = client_of("max")
    assert "Last checkpoint none signed yet" in strip(max_.get("/audit").text)
    with app.app_context():
        sign(app)
        fill(2)
    assert re.search(r"Last checkpoint .*\d+ entries, signed .*, 2 newer", strip(max_.get("/audit").text))
    answer = post(max_, "/audit/verify", follow_redirects=True)
    assert re.search(r"The last checkpoint, of \d+ entries, holds\.", answer.text)


def test_a_log_that_is_not_the_one_that_was_signed_is_shown_as_broken(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        sign(app)
        with unguarded("dg_log_checkpoints") as session:
            session.execute(text("UPDATE dg_log_checkpoints SET root_hash = 'x'"))
    max_ = client_of("max")
    assert "stored with another size, root or key" in strip(max_.get("/audit").text)
    answer = post(max_, "/audit/verify", follow_redirects=True)
    assert "it is not the log that was signed" in answer.text
