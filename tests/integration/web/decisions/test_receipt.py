"""The page of a receipt: reached from the item and from the history, printed as it is in the file, and honest where there is none."""

from __future__ import annotations

import argparse
import re
from html import unescape
from pathlib import Path

import pytest
import segno
from flask import Flask

from lotus_web.domain.items.actions import Action
from lotus_web.wire import lotus_verify
from tests.conftest import MakeApp
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.support import runs
from tests.support.logs import log_settings, sign

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
SELF_CONSISTENT = argparse.Namespace(key=[], witness=[])


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """A deployment that signs its log."""
    return make_app(**log_settings(tmp_path))


def test_the_receipt_of_a_decision_is_reached_read_and_downloaded(app: Flask, client_of: ClientOf) -> None:
    workflow_id, max_, nora = runs.item(app), client_of("max"), client_of("nora")
    assert "/receipt" not in max_.get(url_of(workflow_id)).text
    runs.act(app, workflow_id, Action.REJECT, by=TOMAS, text="Too far.", reason_code="LIMIT_BREACH")
    item, history = max_.get(url_of(workflow_id)).text, max_.get("/decisions").text
    paths = [unescape(re.findall(r'href="(/decisions/[^"]+/receipt)"', page)[0]) for page in (item, history)]
    for path in paths:
        early = max_.get(path)
        assert early.status_code == 409 and "No checkpoint of this log has been signed yet." in early.text
        assert nora.get(path).status_code == nora.get(f"{path}.json").status_code == 403
    assert "/receipt" not in nora.get("/decisions").text
    with app.app_context():
        sign(app)
    files = []
    for path in paths:
        page = max_.get(path).text
        assert "Too far." in page and "not known to have been presented" in page
        answer = max_.get(f"{path}.json")
        assert answer.mimetype == "application/json"
        files.append(answer.data)
    assert files[0] == files[1] and lotus_verify.verify(files[0], SELF_CONSISTENT)
    root = re.findall(r"default\\n[0-9]+\\n([^\\]+)\\n", files[0].decode())[0]
    assert root in unescape(page)
    size = re.findall(r"default\\n([0-9]+)\\n", files[0].decode())[0]
    code = segno.make(f"lotus.example/log/default\n{size}\n{root}\n", error="m", micro=False)
    assert code.svg_inline(scale=3, border=2, light="#fff", title="QR code of the root") in page
    archive = max_.get(f"{url_of(workflow_id)}/export.zip").data
    assert lotus_verify.verify(archive, SELF_CONSISTENT)
    assert max_.get("/audit/lotus_verify.py").data == Path(lotus_verify.__file__).read_bytes() in archive
