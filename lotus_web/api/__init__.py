"""JSON for programs."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Mount the JSON blueprints."""
