"""What entry points need from the running application: its settings, the policy in force, and the current time."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.config.settings import Settings


def settings() -> Settings:
    """Return the live settings of the running application."""
    found: Settings = current_app.extensions["lotus_settings"]
    return found


def policy() -> DeploymentPolicy:
    """Return the review policy in force now."""
    return DeploymentPolicy.of(settings())


def utcnow() -> datetime:
    """Return the current time, timezone-aware in UTC."""
    return datetime.now(UTC)


def cadences() -> dict[str, int]:
    """Return the seconds between runs of each scheduled job, by name."""
    found: dict[str, int] = current_app.extensions["lotus_cadences"](settings())
    return found
