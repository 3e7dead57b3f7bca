"""Twenty at once on one proposal: one winner each, the others are told so, and nothing is overwritten (delta 29)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.domain.proposals.states import ProposalState
from lotus_web.store.session import db
from tests.integration.races.crew import Nursery, threads
from tests.integration.races.proposal_moves import MOVES, the_proposal
from tests.support.histories import assert_provable, count
from tests.support.proposals import led_to, proposed

AT_ONCE = 20
PROCESSES, THREADS_EACH = 4, 5
pytestmark = pytest.mark.environ(LOTUS_DATABASE_POOL_SIZE="24")

Run = Callable[[str], Counter[str]]
MISMATCH = "Conflict STATE_CONFLICT: expected_state mismatch"


@pytest.fixture(params=["threads", "processes"])
def at_once(request: pytest.FixtureRequest, app: Flask, store_url: str, nursery: Nursery) -> Run:
    """``at_once(move)``: twenty threads of one app, or four processes with five threads each."""
    if request.param == "threads":
        return lambda move: threads(app, [MOVES[move](number) for number in range(AT_ONCE)])
    together = {"processes": PROCESSES, "threads_each": THREADS_EACH}
    return lambda move: nursery.together(store_url, "proposals", move=move, **together)


@pytest.fixture
def reviewed(app: Flask) -> None:
    """A proposal under risk review."""
    with app.app_context():
        led_to(proposed().proposal_id, ProposalState.RISK_REVIEW)
        db.session.remove()
        db.engine.dispose()


def left(app: Flask) -> tuple[str, int, int, int]:
    """Return the state, and the numbers of versions, approvals and events; the log proves itself."""
    with app.app_context():
        assert_provable()
        (state,) = (row for row in db.session.execute(text("SELECT current_state FROM proposals")).scalars())
        return state, count("proposal_versions"), count("proposal_approvals"), count("proposal_events")


def test_twenty_creates_under_one_key_are_one_proposal_with_one_answer(app: Flask, at_once: Run) -> None:
    outcomes = at_once("create")
    assert list(outcomes.values()) == [AT_ONCE]
    assert left(app) == ("DRAFT", 1, 0, 1)
    with app.app_context():
        assert count("proposals") == count("proposal_documents") == count("proposal_keys") == 1


@pytest.mark.usefixtures("reviewed")
def test_of_twenty_approvals_one_is_recorded(app: Flask, at_once: Run) -> None:
    assert at_once("approve") == {"approved": 1, MISMATCH: AT_ONCE - 1}
    assert left(app) == ("AWAITING_CLIENT_CONSENT", 1, 1, 3)


@pytest.mark.usefixtures("reviewed")
def test_approvals_that_are_posted_and_given_in_the_inbox_are_one_command(app: Flask, at_once: Run) -> None:
    outcomes = at_once("approve_anywhere")
    assert outcomes.pop("approved") == 1
    assert sum(outcomes.values()) == AT_ONCE - 1
    assert outcomes.keys() <= {MISMATCH, "Conflict invalid_transition"}
    assert left(app) == ("AWAITING_CLIENT_CONSENT", 1, 1, 3)


@pytest.mark.usefixtures("reviewed")
def test_an_approval_never_meets_another_version_than_its_own(app: Flask, at_once: Run) -> None:
    """A version replaces the first once; an approval comes before it, and is void then, or not at all."""
    outcomes = at_once("approve_or_replace")
    approvals = outcomes.get("approved", 0)
    assert outcomes["replaced"] == 1
    assert approvals <= 1
    assert outcomes.keys() <= {"approved", "replaced", MISMATCH, "Conflict VERSION_CONFLICT"}
    assert left(app) == ("DRAFT", 2, approvals, 3 + approvals)
    with app.app_context():
        assert count("proposal_approvals", "related_version_no = 1") == approvals


@pytest.mark.usefixtures("reviewed")
def test_of_twenty_versions_for_the_first_one_is_recorded(app: Flask, at_once: Run) -> None:
    assert at_once("replace_first") == {"replaced": 1, "Conflict VERSION_CONFLICT": AT_ONCE - 1}
    assert left(app) == ("DRAFT", 2, 0, 3)


def test_twenty_versions_have_twenty_numbers(app: Flask, at_once: Run) -> None:
    with app.app_context():
        proposed()
        proposal_id = the_proposal()
        db.session.remove()
        db.engine.dispose()
    assert at_once("add_version") == {f"version {number}": 1 for number in range(2, AT_ONCE + 2)}
    assert left(app) == ("DRAFT", AT_ONCE + 1, 0, AT_ONCE + 1)
    with app.app_context():
        assert count("proposal_documents", f"proposal_id = '{proposal_id}'") == AT_ONCE + 1
