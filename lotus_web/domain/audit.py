"""Words that are stored in the audit log, and what words of earlier versions are called today."""

from __future__ import annotations

from collections.abc import Mapping

VERIFY_CHAIN = "verify_chain"
INTACT, BROKEN = "intact", "broken"

# Actions of refused forms and JSON requests were once stored under the name of the endpoint. Rows are never rewritten: they are read with the
# word that is stored for the same request now (ADR 0018).
FORMER_ACTIONS: Mapping[str, str] = {
    "admin_add": "create_person",
    "admin_alter": "change_person",
    "admin_tokens_issue": "create_token",
    "admin_tokens_revoke": "revoke_token",
    "admin_accounts_alter": "change_account",
    "legal_hold_change": "change_legal_hold",
    "supportability_post_legal_hold": "change_legal_hold",
    "proposals_simulate_proposal": "simulate_proposal",
    "proposals_proposal_artifact": "simulate_proposal",
}


def present_action(stored: str) -> str:
    """Return the present word of an action as a line of the audit log stores it."""
    return FORMER_ACTIONS.get(stored, stored)
