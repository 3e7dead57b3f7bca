"""The words of a line of the audit log, and the page of what it is about."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, current_app, url_for

from lotus_web.domain.access import Permission, missing_permission
from lotus_web.domain.items.actions import Action
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from lotus_web.http.refusal_log import RECORDED_AS
from lotus_web.queries.audit.lines import AuditLine, Source
from lotus_web.services.items.next_item import NEXT
from lotus_web.services.studio import START_REVIEW
from lotus_web.web.format.filters import words
from lotus_web.web.format.record_links import proposal_url
from lotus_web.web.format.sentences import needed
from lotus_web.web.guard.access import current_actor
from lotus_web.web.shell.links import same_page

PEOPLE = frozenset(
    {"add_person", "change_person", "grant_role", "withdraw_role", "disable_person", "enable_person", "set_password"}
)
TOKENS = frozenset({"issue_token", "revoke_token"})
ACCOUNTS = frozenset({"change_account", "disable_account", "enable_account"})
HOLDS = frozenset({"legal_hold_set", "legal_hold_lifted"})
ABOUT_PROPOSALS = frozenset(
    {"proposal_hold_set", "proposal_hold_lifted", *(word.value for word in (*ProposalEvent, *ApprovalType))}
)
SENTENCES = {
    "DPM_WORKFLOW_INVALID_TRANSITION": "The gate does not allow this decision now.",
    "DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS": "A run of this status needs no decision.",
}

# How the address of a route names a run, and a proposal.
RUN_ARGUMENTS = frozenset({"run_id", "rebalance_run_id"})
PROPOSAL_ARGUMENTS = frozenset({"proposal_id"})


@lru_cache(maxsize=2)
def _routes_with(app: Flask, arguments: frozenset[str]) -> frozenset[str]:
    """Return the routes whose address has one of the arguments, by the names under which their refusals are recorded."""
    rules = (rule for rule in app.url_map.iter_rules() if rule.arguments & arguments)
    endpoints = {rule.endpoint for rule in rules}
    return frozenset(getattr(app.view_functions[one], RECORDED_AS, one.replace(".", "_")) for one in endpoints)


def text_of(line: AuditLine) -> str:
    """Return what a line says. Of a refusal, a missing permission and a bare code are put in words; other text stays as it is."""
    if line.source is not Source.RECORD:
        return line.text
    code, permission = str(line.details.get("code")), line.details.get("permission")
    if line.text == code:
        return SENTENCES.get(code, f"{words(code.lower())}.")
    if permission in set(Permission) and line.text == str(missing_permission(Permission(permission))):
        return needed(permission)
    return line.text


def subject_url(action: str, subject: str) -> str:
    """Return the page of what a refusal or a change is about, or the audit log filtered by it where there is no page.

    The action says what the subject names; an id is not read for that.
    """
    if action in set(Action) and subject != NEXT:
        return url_for("items.show", workflow_id=subject)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if action in HOLDS or action in _routes_with(app, RUN_ARGUMENTS):
        return url_for("runs.show", run_id=subject)
    if action in ABOUT_PROPOSALS or action in _routes_with(app, PROPOSAL_ARGUMENTS):
        return proposal_url(subject)
    if action == START_REVIEW:
        return url_for("traces.show", trace_id=subject)
    if current_actor().may(Permission.ADMIN) and action in PEOPLE:
        return url_for("accounts.person", name=subject)
    if current_actor().may(Permission.ADMIN) and action in TOKENS:
        return url_for("accounts_token.show", token_id=subject)
    if current_actor().may(Permission.ADMIN) and action in ACCOUNTS:
        return url_for("accounts_tokens.show")
    return same_page(about=subject)
