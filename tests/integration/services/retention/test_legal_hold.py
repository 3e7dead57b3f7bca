"""A legal hold is set and lifted by who may, with a reason, and stays on record."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from lotus_web.domain.surface import Surface
from lotus_web.models import RetentionEntry, Run
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.store.session import db, transaction
from tests.support.histories import ADA, MARA, NOW, OFF, count, record

pytestmark = pytest.mark.usefixtures("session")
RUN = "rr_00000001"


def hold(held: bool = True, *, run_id: str = RUN, reason: str | None = "Court order 7", actor: Actor = ADA) -> None:
    with transaction() as session:
        set_legal_hold(session, run_id, hold=held, reason=reason, actor=actor, surface=Surface.FORM, now=NOW)


@pytest.fixture(autouse=True)
def run(session: Any) -> None:
    with transaction() as own:
        record(own, 1, policy=OFF)


def is_held() -> bool:
    db.session.rollback()
    return bool(db.session.scalar(select(Run.legal_hold)))


def test_it_is_set_and_lifted_and_both_are_on_record() -> None:
    hold()
    assert is_held()
    hold(False, reason="The court lifted it.")
    assert not is_held()
    entries = db.session.scalars(select(RetentionEntry).order_by(RetentionEntry.entry_id)).all()
    assert [(entry.entry_type, entry.actor_id, entry.reason) for entry in entries] == [
        ("HOLD_SET", "ada.osei", "Court order 7"),
        ("HOLD_LIFTED", "ada.osei", "The court lifted it."),
    ]
    assert count("dg_audit_records", f"category = 'admin' AND subject = '{RUN}'") == 2


@pytest.mark.parametrize("held", [True, False])
def test_what_is_so_already_is_refused(held: bool) -> None:
    if held:
        hold()
    with pytest.raises(Conflict) as refusal:
        hold(held)
    assert refusal.value.code == "LEGAL_HOLD_UNCHANGED"


@pytest.mark.parametrize("reason", [None, "", "   ", "x" * 1001, "a\x00b"])
def test_it_needs_a_reason(reason: str | None) -> None:
    with pytest.raises(InvalidInput):
        hold(reason=reason)
    assert not is_held()


def test_it_needs_an_administrator() -> None:
    with pytest.raises(Forbidden):
        hold(actor=MARA)
    assert count("dpm_retention_log") == 0


def test_an_unknown_run_is_not_found() -> None:
    with pytest.raises(NotFound):
        hold(run_id="rr_ffffffff")
