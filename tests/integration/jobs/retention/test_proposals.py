"""Retention of proposals: those that ended go with their documents and keys; their history and its hashes stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lotus_web.config.settings import Settings
from lotus_web.domain.errors import Conflict
from lotus_web.domain.lineage import EntityKind
from lotus_web.domain.proposals.refusals import ProposalNotFound
from lotus_web.domain.proposals.states import TERMINAL, ProposalState
from lotus_web.domain.support import Counter
from lotus_web.domain.surface import Surface
from lotus_web.jobs import retention
from lotus_web.jobs.context import JobContext
from lotus_web.models import Proposal, RetentionEntry
from lotus_web.queries.proposals.history import proposal_approvals, proposal_events
from lotus_web.queries.proposals.lookup import proposal_detail
from lotus_web.queries.retention import proposal_legal_hold
from lotus_web.queries.support.summary import counted
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.support import recount
from lotus_web.store.session import db, transaction
from tests.support.histories import ADA, NOW, assert_provable, count
from tests.support.proposals import led_to, proposed, versioned

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="30", DPM_WORKFLOW_ENABLED="true"),
]
LATER = NOW + timedelta(days=60)
HISTORY = ("proposal_versions", "proposal_events", "proposal_approvals")
CONTENTS = ("proposals", "proposal_documents", "proposal_keys")


@pytest.fixture
def job(environ: dict[str, str]) -> JobContext:
    return JobContext(Settings(environ))


@pytest.fixture(autouse=True)
def _counters_stay_true(session: Any) -> Iterator[None]:
    yield
    db.session.rollback()
    assert counted(db.session(), "default") == recount(db.session(), "default")


def purge(job: JobContext, now: datetime = LATER) -> dict[str, Any]:
    foretold = retention.preview(job, now)
    del foretold["kept"]
    done = retention.purge(job, now)
    del done["longest_batch_ms"]
    db.session.rollback()
    assert foretold == done
    assert retention.purge(job, now).keys() == {"longest_batch_ms"}
    db.session.rollback()
    return done


def hold(proposal_id: str, held: bool = True) -> None:
    with transaction() as session:
        set_legal_hold(
            session,
            proposal_id,
            kind=EntityKind.PROPOSAL,
            hold=held,
            reason="Court order 7",
            actor=ADA,
            surface=Surface.RFC,
            now=NOW,
        )


def in_every_state() -> dict[ProposalState, str]:
    return {state: led_to(proposed().proposal_id, state) for state in ProposalState}


def test_what_ended_long_ago_goes_and_what_is_open_stays(job: JobContext) -> None:
    ids = in_every_state()
    assert counted(db.session(), "default")[Counter.PROPOSALS] == {state.value: 1 for state in ProposalState}
    before = {table: count(table) for table in HISTORY}
    done = purge(job)
    assert {name: done[name] for name in CONTENTS} == dict.fromkeys(CONTENTS, len(TERMINAL))
    assert set(db.session.scalars(select(Proposal.proposal_id))) == {
        proposal_id for state, proposal_id in ids.items() if state not in TERMINAL
    }
    assert {table: count(table) for table in HISTORY} == before
    assert_provable()


def test_the_history_of_a_purged_proposal_stays_and_the_log_says_what_went(job: JobContext) -> None:
    proposal_id = proposed(key="once").proposal_id
    versioned(proposal_id)
    led_to(proposal_id, ProposalState.EXECUTED)
    purge(job)
    with pytest.raises(ProposalNotFound):
        proposal_detail(db.session(), "default", proposal_id)
    assert len(proposal_events(db.session(), "default", proposal_id)) == 6
    assert len(proposal_approvals(db.session(), "default", proposal_id)) == 2
    line = db.session.scalars(select(RetentionEntry)).one()
    assert (line.entry_type, line.entity_id) == ("PROPOSAL_PURGED", proposal_id)
    assert line.details["current_state"] == "EXECUTED"
    assert line.details["current_version_no"] == 2


def test_nothing_goes_before_its_time_which_counts_from_the_last_event(job: JobContext) -> None:
    led_to(proposed().proposal_id, ProposalState.CANCELLED)
    ended = db.session.scalar(select(Proposal.last_event_at))
    db.session.rollback()
    assert "proposals" not in purge(job, ended + timedelta(days=30))
    assert purge(job, ended + timedelta(days=30, microseconds=1))["proposals"] == 1


@pytest.mark.environ(DPM_SUPPORTABILITY_RETENTION_DAYS="0")
def test_zero_days_keep_everything(job: JobContext) -> None:
    led_to(proposed().proposal_id, ProposalState.CANCELLED)
    assert purge(job) == {}


def test_a_held_proposal_stays_until_the_hold_is_lifted(job: JobContext) -> None:
    proposal_id = led_to(proposed().proposal_id, ProposalState.CANCELLED)
    hold(proposal_id)
    assert retention.preview(job, LATER)["kept"]["legal_hold"] == 1
    db.session.rollback()
    assert purge(job) == {}
    held = proposal_legal_hold(db.session(), "default", proposal_id)
    assert (held.proposal_id, held.legal_hold, [one.entry_type for one in held.history]) == (
        proposal_id,
        True,
        ["HOLD_SET"],
    )
    db.session.rollback()
    with pytest.raises(Conflict, match="The proposal is already under legal hold"):
        hold(proposal_id)
    hold(proposal_id, held=False)
    assert purge(job)["proposals"] == 1
    with pytest.raises(ProposalNotFound):
        hold(proposal_id)
