"""The settings that decide how runs are recorded and reviewed, read once per command so that they cannot change during it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotus_web.config.settings import Settings
from lotus_web.domain.decisions.gate import requires_review
from lotus_web.domain.items.decision_rules import DecisionRules
from lotus_web.domain.items.four_eyes import FourEyes
from lotus_web.domain.items.signing import SignDecisions
from lotus_web.domain.items.subjects import SubjectType
from lotus_web.domain.policy_packs import PackRules
from lotus_web.domain.proposals.refusals import LIFECYCLE_OFF
from lotus_web.domain.proposals.rules import ProposalRules
from lotus_web.domain.sentences import Sentence, switched_off
from lotus_web.domain.sla.deadlines import WorkflowDefaults


@dataclass(frozen=True, slots=True)
class DeploymentPolicy:
    """The deployment's settings for the gate, deadlines, artifacts, policy packs and proposals, and what it switches off."""

    workflow_enabled: bool = False
    review_statuses: tuple[str, ...] = ("PENDING_REVIEW",)
    replay_enabled: bool = True
    persist_artifacts: bool = False
    defaults: WorkflowDefaults = field(default_factory=WorkflowDefaults)
    four_eyes: FourEyes = field(default_factory=FourEyes)
    packs: PackRules = field(default_factory=PackRules)
    proposals: ProposalRules = field(default_factory=ProposalRules)
    require_evidence: bool = False
    sign_decisions: SignDecisions = SignDecisions.OFF
    switched_off: Mapping[SubjectType, Sentence] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> DeploymentPolicy:
        """Return the policy of the settings in force now."""
        return cls(
            workflow_enabled=settings.workflow_enabled,
            review_statuses=settings.workflow_review_statuses,
            replay_enabled=settings.idempotency_replay_enabled,
            persist_artifacts=settings.artifacts_are_persisted,
            defaults=WorkflowDefaults(
                exception_review_sla_hours=settings.exception_review_sla_hours,
                incident_review_sla_hours=settings.incident_review_sla_hours,
                proposal_review_sla_hours=settings.proposal_review_sla_hours,
                assigned_role=settings.default_assigned_role,
                escalation_role=settings.escalation_assigned_role,
                escalation_account_id=settings.escalation_assigned_account_id or None,
            ),
            four_eyes=FourEyes(
                settings.four_eyes, frozenset(settings.four_eyes_exempt_tenants), proposals=settings.proposal_four_eyes
            ),
            packs=PackRules(
                enabled=settings.policy_packs_enabled,
                default_pack_id=settings.default_policy_pack_id or None,
                by_tenant=settings.tenant_policy_packs_enabled,
                tenant_packs=settings.tenant_policy_packs,
            ),
            proposals=ProposalRules(
                store_evidence=settings.proposal_store_evidence,
                require_expected_state=settings.proposal_require_expected_state,
                allow_portfolio_change=settings.proposal_allow_portfolio_change,
                require_simulation_flag=settings.proposal_require_simulation_flag,
                keep_state=settings.proposal_keep_state,
            ),
            require_evidence=settings.require_evidence,
            sign_decisions=SignDecisions(settings.sign_decisions),
            switched_off={}
            if settings.proposal_lifecycle_enabled
            else {SubjectType.PROPOSAL: switched_off(LIFECYCLE_OFF)},
        )

    @property
    def decision_rules(self) -> DecisionRules:
        """What holds for every decision on an item."""
        return DecisionRules(self.four_eyes, self.switched_off)

    def requires_review(self, run_status: str) -> bool:
        """Return whether a run of this status needs a review (RFC-0020 §4.3)."""
        return requires_review(run_status, enabled=self.workflow_enabled, review_statuses=self.review_statuses)
