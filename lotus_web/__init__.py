"""Lotus Web: where a person decides what a rebalance engine may not decide alone."""

from __future__ import annotations

import gc
import secrets
from pathlib import Path

# Nothing of what is imported is garbage: a process that does not look for any meanwhile starts a fifth sooner, and one that
# sets all this aside afterwards does not walk it again, nor copy it when it was forked.
gc.disable()

from flask import Flask
from flask_migrate import Migrate, upgrade

from lotus_web import api, cli, web
from lotus_web.config.settings import Settings
from lotus_web.http import (
    body_limit,
    body_timeout,
    export_slots,
    path_ids,
    request_ids,
    request_log,
    request_metrics,
    responses,
)
from lotus_web.jobs.schedule import cadences
from lotus_web.store.engine import MIGRATIONS, engine_options, store_uri
from lotus_web.store.session import db

gc.freeze()
gc.enable()

ROOT = Path(__file__).parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; raises BadSetting when a setting cannot be used."""
    settings = settings or Settings.from_environ()
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.extensions["lotus_settings"] = settings
    app.extensions["lotus_cadences"] = cadences
    configure(app, settings)
    open_store(app, settings)
    responses.init_app(app)
    path_ids.init_app(app)
    request_ids.init_app(app)
    body_limit.init_app(app)
    body_timeout.init_app(app)
    export_slots.init_app(app)
    request_log.init_app(app, settings)
    request_metrics.init_app(app)
    api.init_app(app)
    web.init_app(app)
    cli.init_app(app)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Set what Flask itself needs to know."""
    app.config.update(
        SECRET_KEY=settings.secret_key or secrets.token_hex(32),
        # A browser takes a cookie of this name from this host alone, over TLS: no sister domain can set one.
        SESSION_COOKIE_NAME="__Host-lotus_session" if settings.production else "lotus_session",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.production,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]


def open_store(app: Flask, settings: Settings) -> None:
    """Connect the configured store; the ephemeral one is migrated here, since nothing else could."""
    uri = store_uri(settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings, uri)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    if settings.store_backend == "IN_MEMORY":
        with app.app_context():
            upgrade()
