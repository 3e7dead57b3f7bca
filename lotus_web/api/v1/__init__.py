"""The ``/api/v1`` routes of the control plane, in their envelope (workflow.md §6)."""

from __future__ import annotations

from flask import Flask

from lotus_web.api.routing import ApiBlueprint
from lotus_web.api.v1 import admin, events, notifications, reasons, studio, traces, workflows

PREFIX = "/api/v1"
# The first one mounted answers for paths that no route has, so the events' own envelope comes last.
BLUEPRINTS: tuple[ApiBlueprint, ...] = (
    workflows.routes,
    traces.routes,
    studio.routes,
    notifications.routes,
    reasons.routes,
    admin.routes,
    events.routes,
)


def init_app(app: Flask) -> None:
    """Mount every blueprint; the names begin with "api", by which the pages' guard knows them."""
    for blueprint in BLUEPRINTS:
        blueprint.mount(app, PREFIX, name=f"api_v1_{blueprint.name}")
