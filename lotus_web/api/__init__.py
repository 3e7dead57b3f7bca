"""JSON for programs."""

from __future__ import annotations

from flask import Flask

from lotus_web.api import openapi, rebalance, v1
from lotus_web.api.endpoint import unmatched, write_policy
from lotus_web.api.endpoint.refusals import Envelope
from lotus_web.api.endpoint.routing import refusal_of
from lotus_web.api.health import metrics
from lotus_web.api.health import routes as health_routes

# Where the pages' error handlers look for how an address under the JSON paths answers that no route here has.
JSON_ERRORS = "lotus_json_errors"


def init_app(app: Flask) -> None:
    """Mount the JSON blueprints."""
    app.register_blueprint(health_routes.routes)
    app.register_blueprint(metrics.routes)
    rebalance.init_app(app)
    v1.init_app(app)
    openapi.init_app(app)
    write_policy.init_app(app)
    unmatched.init_app(app)
    app.extensions[JSON_ERRORS] = lambda error: refusal_of(error, Envelope()).response()
