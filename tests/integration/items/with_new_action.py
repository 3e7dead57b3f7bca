"""Run by test_new_entries.py in a copy of the program whose table of actions has one more: ``pin_up``."""

from __future__ import annotations

import os
import re
from pathlib import Path

import lotus_web
from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission
from tests.support import people, runs

WHY = {"reason_code": "WORTH_A_LOOK"}


def main() -> None:
    assert Path(lotus_web.__file__).is_relative_to(Path.cwd()), "this is not the copy"
    app = create_app(Settings.from_environ(dict(os.environ)))
    item = runs.item(app)
    for name in ("nora", "max"):
        people.hire(app, name)
    max_, nora = app.test_client(), app.test_client()
    people.sign_in(max_, "max")
    people.sign_in(nora, "nora")
    path = f"/inbox/{item}"

    page = max_.get(path).text
    assert '<details class="fold fold--neutral" id="fold-pin_up" name="decision" data-shortcut="v">' in page
    assert '<option value="WORTH_A_LOOK">Worth a look</option>' in page
    assert 'id="refused-pin_up-reason"' in nora.get(path).text
    assert 'data-form-key="v" data-form="pin_up"' in max_.get("/inbox").text

    form = {"action": "pin_up", "version": "1", **WHY}
    assert people.post(max_, path, form | {"reason_code": ""}).status_code == 422
    assert people.post(nora, path, form).status_code == 403
    assert people.post(max_, path, form).status_code == 303
    after = max_.get(path).text
    assert "Pinned up for all to see." in after
    assert re.search(r'timeline__entry--warn">(?:(?!</li>).)*pinned it up', after, re.DOTALL)

    bearer = people.bearer_of(app, permissions=(Permission.RUNS_READ, Permission.WORKFLOW_ASSIGN))
    sent = {"Authorization": f"Bearer {bearer}"}
    url = f"/api/v1/workflows/{item}"
    choices = app.test_client().get(url, headers=sent).json["data"]["review_context"]["actions"]
    assert {"action": "pin_up", "permission": "workflow_assign", "allowed": True, "why_not": None} in choices
    acted = app.test_client().post(f"{url}/actions", headers=sent, json={"action": "pin_up", **WHY})
    assert acted.json["data"]["action"]["action_type"] == "pin_up", acted.text
    unknown = app.test_client().post(f"{url}/actions", headers=sent, json={"action": "pin_down"})
    assert "pin_up" in unknown.json["error"]["details"]["actions"]

    audit = max_.get("/audit").text
    assert '<option value="pin_up">Pin up</option>' in audit
    assert max_.get("/audit?kind=pin_up&source=action").text.count("pin_up") > audit.count("pin_up")
    report = max_.get("/decisions/reasons").text
    assert "Pinned up" in report
    assert "Worth a look" in report

    checked = app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"])
    assert checked.exit_code == 0, checked.output


if __name__ == "__main__":
    main()
