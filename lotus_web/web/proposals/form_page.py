"""Rendering the form of a proposal or of a new version, with what was typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, url_for

from lotus_web.config import current
from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.proposals.evidence import ProposalEvidence
from lotus_web.http.statuses import status_of
from lotus_web.queries.proposals.basis import Basis
from lotus_web.queries.proposals.rows import ProposalSummary
from lotus_web.store.new_ids import new_id
from lotus_web.web.format.sentences import page_message
from lotus_web.web.proposals.problems import Problem, Problems
from lotus_web.web.proposals.typed import Typed
from lotus_web.web.shell.htmx import page_or_fragment

NO_PROBLEMS = Problems()
USED = "This form was sent before, with other contents."


def new_key() -> str:
    """Return a key that makes a form safe to send twice."""
    return new_id("form_")


def form_page(
    typed: Typed,
    basis: Basis | None,
    *,
    proposal: ProposalSummary | None = None,
    status: int = 200,
    problems: Problems = NO_PROBLEMS,
    outcome: ProposalEvidence | None = None,
    changed: str = "",
    conflict: str | None = None,
    made_before: str | None = None,
) -> Response:
    """Render the form: of a new proposal, or of a new version of ``proposal``.

    ``outcome`` is what a simulation came to; ``changed`` the button that added or removed a row; ``conflict`` a sentence
    and ``made_before`` the proposal that an earlier sending of the form made.
    """
    shown = typed.shown
    return page_or_fragment(
        "proposals/form.html",
        "proposals/_form.html",
        status,
        **about(proposal, action=_action(proposal)),
        typed=shown,
        basis=basis,
        currency=basis.inputs["portfolio_snapshot"]["base_currency"] if basis else "",
        instruments=sorted(basis.price_currencies()) if basis else [],
        problems=problems,
        outcome=outcome,
        simulated=outcome is not None,
        focused=_focused(shown, changed),
        announced=_announced(changed),
        conflict=conflict,
        made_before=made_before,
        now=current.utcnow(),
    )


def about(proposal: ProposalSummary | None, *, action: str) -> dict[str, Any]:
    """Return what a form is called and where it is sent: of a new proposal, or of a new version of one."""
    crumbs = [("Proposals", url_for("proposals.listing"))]
    if proposal is None:
        return {"proposal": None, "title": "New proposal", "crumbs": crumbs, "action": action}
    named = proposal.title or proposal.proposal_id
    return {
        "proposal": proposal,
        "title": f"New version {proposal.current_version_no + 1}",
        "crumbs": [*crumbs, (named, url_for("proposal.show", proposal_id=proposal.proposal_id))],
        "action": action,
    }


def _action(proposal: ProposalSummary | None) -> str:
    if proposal is None:
        return url_for("proposals_form.send")
    return url_for("proposals_version.send", proposal_id=proposal.proposal_id)


def refused_page(
    refused: Conflict | InvalidInput,
    typed: Typed,
    basis: Basis,
    *,
    proposal: ProposalSummary | None = None,
    made_before: str | None = None,
) -> Response:
    """Render the form with why it was refused; one whose key was used gets another, so that it can be sent again."""
    if isinstance(refused, Conflict):
        again = replace(typed, key=new_key())
        said = USED if made_before else page_message(refused)
        return form_page(again, basis, proposal=proposal, status=409, conflict=said, made_before=made_before)
    problems = Problems((Problem(None, page_message(refused)),))
    return form_page(typed, basis, proposal=proposal, status=status_of(refused), problems=problems)


def _focused(typed: Typed, changed: str) -> str | None:
    """Return the id of the field that a pressed button leads to."""
    verb = changed.partition(":")[0]
    if verb in ("add_trade", "remove_trade"):
        return f"trade-{len(typed.trades) - 1}-instrument_id"
    if verb in ("add_flow", "remove_flow"):
        return f"flow-{len(typed.flows) - 1}-amount" if typed.flows else "add-flow"
    return None


def _announced(changed: str) -> str:
    verb, _, what = changed.partition(":")[0].partition("_")
    words = {"trade": "trade", "flow": "cash flow"}.get(what)
    said = {"add": "added", "remove": "removed"}.get(verb)
    return f"A {words} was {said}" if words and said else ""
