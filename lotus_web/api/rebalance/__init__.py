"""The ``/rebalance`` routes of the RFCs, mounted bare and under ``/api/v1`` with the same handlers (dpm-api §1.1)."""

from __future__ import annotations

from flask import Flask

from lotus_web.api.endpoint.routing import ApiBlueprint
from lotus_web.api.rebalance import (
    analyses,
    decisions,
    gate,
    idempotency,
    lineage,
    operations,
    replay,
    retention,
    runs,
    simulate,
    support,
    support_bundles,
)
from lotus_web.api.rebalance.proposals import lifecycle as proposals
from lotus_web.api.rebalance.proposals import operations as proposal_operations
from lotus_web.api.rebalance.proposals import simulate as proposal_simulations
from lotus_web.api.rebalance.proposals import support as proposal_support
from lotus_web.api.rebalance.proposals import versions as proposal_versions
from lotus_web.domain.write_policy import BARE, VERSIONED

# Where the pages look for how a support bundle is written.
BUNDLE_DOCUMENT = "lotus_bundle_document"
# The names begin with "api": so the pages' guard knows that these routes keep their own gate.
PREFIXES = {"api_rebalance": BARE, "api_v1_rebalance": VERSIONED}
BLUEPRINTS: tuple[ApiBlueprint, ...] = (
    simulate.routes,
    analyses.routes,
    operations.routes,
    runs.routes,
    gate.routes,
    decisions.routes,
    lineage.routes,
    support_bundles.routes,
    support.routes,
    idempotency.routes,
    retention.routes,
    replay.routes,
    proposal_simulations.routes,
    proposals.routes,
    proposal_versions.routes,
    proposal_support.routes,
    proposal_operations.routes,
)


def init_app(app: Flask) -> None:
    """Mount every blueprint of the surface under both prefixes."""
    for name, prefix in PREFIXES.items():
        for blueprint in BLUEPRINTS:
            blueprint.mount(app, prefix, name=f"{name}_{blueprint.name}")
    app.extensions[BUNDLE_DOCUMENT] = support_bundles.bundle_document
