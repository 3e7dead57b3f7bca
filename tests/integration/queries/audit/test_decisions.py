"""A decision that was edited, or taken out, contradicts the log and the actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.items.actions import Action
from lotus_web.queries.audit.decisions import verify_decisions
from lotus_web.store.session import transaction
from tests.support.histories import ADA, MARA, act, assert_provable, decide, differences, record, unguarded, workflow_id

DECISIONS = "dpm_workflow_decisions"
COLUMNS = ("workflow_id", "comment", "reason_code", "actor_id", "recorded_by", "shown_digest", "surface")


@pytest.fixture
def decided(app: Flask) -> Iterator[None]:
    """A run that was approved and then sent back."""
    with app.app_context():
        for action in (GateAction.APPROVE, GateAction.REQUEST_CHANGES):
            with transaction() as session:
                if action is GateAction.APPROVE:
                    record(session, 1)
                decide(session, 1, action)
        assert_provable()
        yield


def found_after(session: Session, statement: str, **values: Any) -> list[str]:
    with session.begin_nested() as undo:
        assert session.execute(text(statement), values).rowcount == 1  # type: ignore[attr-defined]
        session.expire_all()
        sentences = list(verify_decisions(session, "default"))
        undo.rollback()
    return sentences


def test_an_edit_of_any_word_of_a_decision_is_found(decided: None) -> None:
    with unguarded(DECISIONS) as session:
        for action in ("APPROVE", "REQUEST_CHANGES"):
            for column in COLUMNS:
                edit = f"UPDATE {DECISIONS} SET {column} = 'edited' WHERE action = :action"
                assert found_after(session, edit, action=action), (action, column)
            edit = f"UPDATE {DECISIONS} SET action = 'REJECT' WHERE action = :action"
            assert found_after(session, edit, action=action)


def test_a_decision_that_is_gone_is_missed(decided: None) -> None:
    with unguarded(DECISIONS) as session:
        for action in ("APPROVE", "REQUEST_CHANGES"):
            assert len(found_after(session, f"DELETE FROM {DECISIONS} WHERE action = :action", action=action)) == 1


def test_an_edited_action_contradicts_its_event_and_its_decision(app: Flask, decided: None) -> None:
    with unguarded("dg_workflow_actions") as session:
        session.execute(text("UPDATE dg_workflow_actions SET text = 'edited'"))
    assert [sentence for sentence in differences() if "text" in sentence]
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert "it does not say what was recorded with it" in done.output


def test_a_history_with_every_kind_of_action_is_provable(decided: None) -> None:
    steps = ((Action.CLAIM, MARA), (Action.ESCALATE, MARA), (Action.REJECT, MARA), (Action.REQUEST_CHANGE, MARA))
    for action, actor in (*steps, (Action.OVERRIDE, ADA), (Action.COMMENT, MARA)):
        with transaction() as session:
            act(session, workflow_id(1), action, actor=actor)
    assert_provable()
