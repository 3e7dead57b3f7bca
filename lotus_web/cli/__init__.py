"""Commands for operators, a group a noun."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the command groups."""
