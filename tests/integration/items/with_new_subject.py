"""Run by test_new_entries.py in a copy of the program whose items can also be about a memo, which an ActionProposed opens."""

from __future__ import annotations

import os
from pathlib import Path

import lotus_web
from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission
from lotus_web.domain.events.envelope import EventType
from lotus_web.store.session import db, transaction
from tests.support import people
from tests.support.histories import STARTED, append, event

ITEM = "trace-1:memo:m-1"
PROPOSED = {"action_id": "m-1", "reason": "Someone should read it."}


def main() -> None:
    assert Path(lotus_web.__file__).is_relative_to(Path.cwd()), "this is not the copy"
    app = create_app(Settings.from_environ(dict(os.environ)))
    with app.app_context():
        for draft in (event(EventType.TRACE_STARTED, STARTED), event(EventType.ACTION_PROPOSED, PROPOSED)):
            with transaction() as session:
                append(session, draft)
        db.session.remove()
    people.hire(app, "nora")
    nora = app.test_client()
    people.sign_in(nora, "nora")
    assert ITEM in nora.get("/inbox").text
    page = nora.get(f"/inbox/{ITEM}").text
    assert "A memo of four words" in page, "the section of the page"
    assert "Approve this memo" in page, "the words of the kind"

    def call(account: str, method: str, path: str, **sent: object) -> tuple[int, dict[str, object]]:
        bearer = people.bearer_of(app, account, (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW))
        headers = {"Authorization": f"Bearer {bearer}"}
        answer = app.test_client().open(f"/api/v1/workflows/{ITEM}{path}", method=method, headers=headers, **sent)
        return answer.status_code, answer.json

    status, found = call("a-reader", "GET", "")
    assert status == 200
    assert found["data"]["workflow"]["subject"] == {"subject_type": "memo", "subject_id": "m-1"}  # type: ignore[index]
    assert found["data"]["review_context"]["run_status"] == "DRAFT"  # type: ignore[index]
    decision = {"action": "approve", "reason": "It reads well."}
    status, refused = call("a-writer", "POST", "/actions", json=decision)
    assert status == 403, "four eyes"
    assert "a-writer wrote it" in str(refused)
    digest = found["data"]["review_context"]["shown_digest"]  # type: ignore[index]
    status, _ = call("a-reader", "POST", "/actions", json=decision | {"shown_digest": digest})
    assert status == 200
    status, _ = call("a-reader", "POST", "/actions", json=decision | {"action": "reject"})
    assert status == 409, "nothing reopens what has no gate"
    assert "Approved" in nora.get(f"/inbox/{ITEM}").text
    checked = app.test_cli_runner().invoke(args=["workflow", "rebuild", "--check"])
    assert checked.exit_code == 0, checked.output
    assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0


if __name__ == "__main__":
    main()
