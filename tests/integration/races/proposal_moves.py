"""What each of the crew does to the one proposal of a store when the word is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select

from lotus_web.domain.items.actions import Action
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.proposals.states import ApprovalType, ProposalState
from lotus_web.models import Proposal
from lotus_web.services.items.actions import ReviewAction, apply_action
from lotus_web.store.session import db, transaction
from tests.support.proposals import RISK, approved, context_of, proposed, versioned


def the_proposal() -> str:
    """Return the id of the proposal."""
    found = db.session.scalars(select(Proposal.proposal_id)).one()
    db.session.rollback()
    return found


def create(_number: int) -> Callable[[], str]:
    """Return a create under one key."""
    return lambda: proposed(key="one-key").event_id


def approve(number: int) -> Callable[[], str]:
    """Return an approval by a reviewer of that number, of version 1 under risk review."""

    def move() -> str:
        reviewer = replace(RISK, actor_id=f"reviewer-{number}")
        approved(the_proposal(), ApprovalType.RISK, reviewer, state=ProposalState.RISK_REVIEW, version_no=1)
        return "approved"

    return move


def approve_anywhere(number: int) -> Callable[[], str]:
    """Return an approval: the even ones are posted, the odd ones given in the inbox."""

    def in_inbox() -> str:
        reviewer = replace(RISK, actor_id=f"reviewer-{number}")
        asked = ReviewAction(Action.APPROVE, text="It fits the mandate.")
        item = review_item_id(the_proposal())
        with transaction() as session:
            apply_action(session, item, asked, context_of(reviewer))
        return "approved"

    return in_inbox if number % 2 else approve(number)


def replace_first(_number: int) -> Callable[[], str]:
    """Return a new version that is meant to replace version 1."""

    def move() -> str:
        versioned(the_proposal(), expected_version_no=1)
        return "replaced"

    return move


def approve_or_replace(number: int) -> Callable[[], str]:
    """Return an approval of version 1 for even numbers, a version that replaces it for odd ones."""
    return replace_first(number) if number % 2 else approve(number)


def add_version(_number: int) -> Callable[[], str]:
    """Return a new version, whatever the current one is."""
    return lambda: f"version {versioned(the_proposal()).version_no}"


MOVES = {
    "create": create,
    "approve": approve,
    "approve_anywhere": approve_anywhere,
    "replace_first": replace_first,
    "approve_or_replace": approve_or_replace,
    "add_version": add_version,
}
