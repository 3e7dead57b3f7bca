"""The settings of proposals (proposals-api §0, deltas 30, 41); part of ``Settings``, which lists and reads them."""

from __future__ import annotations

from lotus_web.config.setting_types import flag


class ProposalSettings:
    """What a deployment decides of proposals."""

    proposal_lifecycle_enabled = flag(
        "PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED",
        True,
        "proposals with versions and states; while off, their items are not decided either",
    )
    proposal_support_apis_enabled = flag(
        "PROPOSAL_SUPPORT_APIS_ENABLED", True, "events, approvals, lineage and keys of proposals"
    )
    proposal_async_operations_enabled = flag(
        "PROPOSAL_ASYNC_OPERATIONS_ENABLED", True, "create proposals and versions as operations"
    )
    proposal_store_evidence = flag(
        "PROPOSAL_STORE_EVIDENCE_BUNDLE", True, "store what a version of a proposal was computed from"
    )
    proposal_require_expected_state = flag(
        "PROPOSAL_REQUIRE_EXPECTED_STATE", True, "transitions and approvals must name the state they start from"
    )
    proposal_allow_portfolio_change = flag(
        "PROPOSAL_ALLOW_PORTFOLIO_CHANGE_ON_NEW_VERSION", False, "a new version may be of another portfolio"
    )
    proposal_require_simulation_flag = flag(
        "PROPOSAL_REQUIRE_SIMULATION_FLAG", True, "proposals must ask for options.enable_proposal_simulation"
    )
    proposal_keep_state = flag(
        "PROPOSAL_KEEP_STATE_ON_NEW_VERSION", False, "a new version keeps state and approvals; otherwise it is a draft"
    )
    proposal_four_eyes = flag(
        "PROPOSAL_FOUR_EYES", True, "who made a version may not approve it for risk or compliance"
    )
