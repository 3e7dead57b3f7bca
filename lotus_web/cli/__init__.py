"""Commands for operators, a group a noun."""

from __future__ import annotations

import click
from flask import Flask

from lotus_web.cli import audit, deliveries, demo, doctor, jobs, openapi, policy_packs, tokens, users, workflow

COMMANDS: tuple[click.Command, ...] = (
    audit.group,
    deliveries.group,
    demo.group,
    doctor.command,
    jobs.group,
    openapi.command,
    policy_packs.group,
    tokens.group,
    users.group,
    workflow.group,
)


def init_app(app: Flask) -> None:
    """Register the command groups."""
    for command in COMMANDS:
        app.cli.add_command(command)
