"""Policy packs: which one applies to a request, and what it changes in the request's options (dpm-api §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lotus_web.domain.json_members import read_json

PACK_ID_MAX = 255
PACK_HEADER = "X-Policy-Pack-Id"
INVALID = "DPM_POLICY_PACK_INVALID"
INVALID_MESSAGE = "The policy pack in the store is not one that this version accepts."
# The options that a pack may set; every other is the request's alone.
OVERRIDABLE = (
    "max_turnover_pct",
    "enable_tax_awareness",
    "max_realized_capital_gains",
    "enable_settlement_awareness",
    "settlement_horizon_days",
    "single_position_max_weight",
    "group_constraints",
    "enable_workflow_gates",
    "workflow_requires_client_consent",
    "client_consent_already_obtained",
)


class PackSource(StrEnum):
    """Who named the pack."""

    DISABLED = "DISABLED"
    REQUEST = "REQUEST"
    TENANT_DEFAULT = "TENANT_DEFAULT"
    DEFAULT = "DEFAULT"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class PackRules:
    """What the deployment says of packs."""

    enabled: bool = False
    default_pack_id: str | None = None
    by_tenant: bool = False
    tenant_packs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackChoice:
    """The pack that was named, and by whom; whether the catalogue has it is another question."""

    source: PackSource
    policy_pack_id: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """A pack of the catalogue: overrides as JSON carries them, and whether repeated keys are answered from the store."""

    policy_pack_id: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    replay_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class AppliedPack:
    """What a run was computed under; a pack that is not ``known`` to the catalogue changed nothing."""

    policy_pack_id: str
    source: PackSource
    known: bool
    overrides: Mapping[str, Any] = field(default_factory=dict)
    replay_enabled: bool | None = None

    def record(self) -> dict[str, Any]:
        """Return it as it is stored with a run."""
        return {
            "policy_pack_id": self.policy_pack_id,
            "source": self.source.value,
            "known": self.known,
            "overrides": dict(self.overrides),
            "replay_enabled": self.replay_enabled,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> AppliedPack:
        """Return the pack that was stored with a run."""
        return cls(**{**record, "source": PackSource(record["source"])})


def choose_pack(rules: PackRules, *, requested: str | None, tenant_id: str) -> PackChoice:
    """Return the pack in force: the request's, else the tenant's, else the deployment's; blank ids count as absent."""
    if not rules.enabled:
        return PackChoice(PackSource.DISABLED)
    of_tenant = rules.tenant_packs.get(tenant_id) if rules.by_tenant else None
    for source, named in (
        (PackSource.REQUEST, requested),
        (PackSource.TENANT_DEFAULT, of_tenant),
        (PackSource.DEFAULT, rules.default_pack_id),
    ):
        policy_pack_id = (named or "").strip()
        if policy_pack_id:
            return PackChoice(source, policy_pack_id)
    return PackChoice(PackSource.NONE)


def parse_tenant_packs(text: str) -> dict[str, str]:
    """Return the pack of each tenant from a JSON object of texts; raises ValueError."""
    document = read_json(text)
    if not isinstance(document, dict) or not all(isinstance(named, str) for named in document.values()):
        raise ValueError("an object that maps tenants to pack IDs is required")
    return {tenant_id.strip(): named.strip() for tenant_id, named in document.items()}
