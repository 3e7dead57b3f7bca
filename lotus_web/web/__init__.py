"""Pages for people."""

from __future__ import annotations

from flask import Blueprint, Flask

from lotus_web.web import (
    access,
    admin,
    admin_accounts,
    admin_settings,
    admin_token,
    admin_tokens,
    assets,
    audit,
    bundles,
    claim_lease,
    decisions,
    docs,
    drafts,
    errors,
    form_text,
    idempotency,
    inbox,
    items,
    legal_hold,
    lineage,
    navigation,
    notifications,
    operations,
    person,
    reasons,
    refused_filters,
    replay,
    runs,
    saved_views,
    search,
    security_headers,
    shown_names,
    sign_in,
    sla,
    studio,
    support,
    traces,
    well_formed,
)
from lotus_web.web.filters import register_filters

# Every page family; a view says in its own file who may see it.
BLUEPRINTS: tuple[Blueprint, ...] = (
    sign_in.blueprint,
    inbox.blueprint,
    saved_views.blueprint,
    items.blueprint,
    runs.blueprint,
    decisions.blueprint,
    reasons.blueprint,
    lineage.blueprint,
    operations.blueprint,
    bundles.blueprint,
    replay.blueprint,
    legal_hold.blueprint,
    idempotency.blueprint,
    search.blueprint,
    docs.blueprint,
    sla.blueprint,
    notifications.blueprint,
    studio.blueprint,
    traces.blueprint,
    audit.blueprint,
    support.blueprint,
    admin.blueprint,
    admin_token.blueprint,
    admin_tokens.blueprint,
    admin_accounts.blueprint,
    admin_settings.blueprint,
)


def init_app(app: Flask) -> None:
    """Mount the pages behind the gate that they all share."""
    security_headers.init_app(app)
    well_formed.init_app(app)
    assets.init_app(app)
    person.init_app(app)
    access.init_app(app)
    form_text.init_app(app)
    drafts.init_app(app)
    errors.init_app(app)
    refused_filters.init_app(app)
    register_filters(app)
    shown_names.init_app(app)
    navigation.init_app(app)
    notifications.init_app(app)
    claim_lease.init_app(app)
    app.context_processor(lambda: {"ephemeral_store": app.extensions["lotus_settings"].store_backend == "IN_MEMORY"})
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
