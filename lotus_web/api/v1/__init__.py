"""The ``/api/v1`` routes of the control plane, in their envelope (workflow.md §6)."""

from __future__ import annotations

from flask import Flask

from lotus_web.api.endpoint.routing import ApiBlueprint
from lotus_web.api.v1 import audit, decisions, events, items, notifications, reason_codes, studio, traces, transparency

PREFIX = "/api/v1"
# The first one mounted answers for paths that no route has, so the events' own envelope comes last.
BLUEPRINTS: tuple[ApiBlueprint, ...] = (
    items.routes,
    traces.routes,
    studio.routes,
    notifications.routes,
    reason_codes.routes,
    decisions.routes,
    audit.routes,
    transparency.routes,
    events.routes,
)


def init_app(app: Flask) -> None:
    """Mount every blueprint; the names begin with "api", by which the pages' guard knows them."""
    for blueprint in BLUEPRINTS:
        blueprint.mount(app, PREFIX, name=f"api_v1_{blueprint.name}")
