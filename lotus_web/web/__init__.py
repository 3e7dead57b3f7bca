"""Pages for people."""

from __future__ import annotations

from flask import Blueprint, Flask

from lotus_web.web import deliveries, idempotency, notifications, operations, retention, search, studio, traces
from lotus_web.web.accounts import people, service_accounts, settings, token, tokens
from lotus_web.web.audit import views as audit_views
from lotus_web.web.decisions import reasons, receipt
from lotus_web.web.decisions import views as decisions_views
from lotus_web.web.docs import views as docs_views
from lotus_web.web.format import people as format_people
from lotus_web.web.format import sentences
from lotus_web.web.format.filters import register_filters
from lotus_web.web.guard import (
    access,
    drafts,
    errors,
    invalid_filters,
    navigation,
    session_cookie,
    storable_forms,
    user,
)
from lotus_web.web.inbox import saved_views
from lotus_web.web.inbox import views as inbox_views
from lotus_web.web.items import choices, signing
from lotus_web.web.items import views as items_views
from lotus_web.web.lineage import views as lineage_views
from lotus_web.web.proposals import detail as proposals_detail
from lotus_web.web.proposals import diff as proposals_diff
from lotus_web.web.proposals import form as proposals_form
from lotus_web.web.proposals import json_form, steps, version_form
from lotus_web.web.proposals import views as proposals_views
from lotus_web.web.runs import replay
from lotus_web.web.runs import views as runs_views
from lotus_web.web.shell import assets, security_headers
from lotus_web.web.sign_in import by_passkey, challenges, passkeys, tenant
from lotus_web.web.sign_in import views as sign_in_views
from lotus_web.web.sla import views as sla_views
from lotus_web.web.support import bundles
from lotus_web.web.support import views as support_views

# Every page family; a view says in its own file who may see it.
BLUEPRINTS: tuple[Blueprint, ...] = (
    sign_in_views.blueprint,
    by_passkey.blueprint,
    passkeys.blueprint,
    tenant.blueprint,
    inbox_views.blueprint,
    saved_views.blueprint,
    items_views.blueprint,
    signing.blueprint,
    runs_views.blueprint,
    proposals_views.blueprint,
    proposals_detail.blueprint,
    proposals_diff.blueprint,
    proposals_form.blueprint,
    version_form.blueprint,
    json_form.blueprint,
    steps.blueprint,
    decisions_views.blueprint,
    reasons.blueprint,
    receipt.blueprint,
    lineage_views.blueprint,
    operations.blueprint,
    deliveries.blueprint,
    bundles.blueprint,
    replay.blueprint,
    retention.blueprint,
    idempotency.blueprint,
    search.blueprint,
    docs_views.blueprint,
    sla_views.blueprint,
    notifications.blueprint,
    studio.blueprint,
    traces.blueprint,
    audit_views.blueprint,
    support_views.blueprint,
    people.blueprint,
    token.blueprint,
    tokens.blueprint,
    service_accounts.blueprint,
    settings.blueprint,
)


def init_app(app: Flask) -> None:
    """Mount the pages behind the gate that they all share."""
    security_headers.init_app(app)
    assets.init_app(app)
    session_cookie.init_app(app)
    user.init_app(app)
    access.init_app(app)
    storable_forms.init_app(app)
    drafts.init_app(app)
    errors.init_app(app)
    invalid_filters.init_app(app)
    register_filters(app)
    format_people.init_app(app)
    sentences.init_app(app)
    navigation.init_app(app)
    notifications.init_app(app)
    choices.init_app(app)
    challenges.init_app(app)
    app.context_processor(lambda: {"ephemeral_store": app.extensions["lotus_settings"].store_backend == "IN_MEMORY"})
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
