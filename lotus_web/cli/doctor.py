"""The command that says what is wrong and how to fix it."""

from __future__ import annotations

from dataclasses import replace

import click
from flask.cli import with_appcontext

from lotus_web.cli.transactions import reading, say
from lotus_web.config import current
from lotus_web.queries.health.bank import bank_findings
from lotus_web.queries.health.doctor import diagnose
from lotus_web.queries.health.settings import SettingInForce


@click.command("doctor")
@click.option("--profile", type=click.Choice(["bank"]), help="Check the list of docs/security.md too.")
@with_appcontext
def command(profile: str | None) -> None:
    """Show the settings in force and check the store, the migrations, the chains and the jobs; exit 1 if one is wrong."""
    with reading() as session:
        diagnosis = diagnose(session, current.settings(), now=current.utcnow())
    if profile == "bank":
        diagnosis = replace(diagnosis, findings=(*diagnosis.findings, *bank_findings(current.settings())))
    say("Settings in force (* set)")
    for setting in diagnosis.settings:
        say(_setting(setting))
    click.echo("\nChecks")
    for finding in diagnosis.findings:
        say(f"{finding.state.value:<6}{finding.check}: {finding.says}")
        if finding.mend:
            say(f"      fix: {finding.mend}")
    if not diagnosis.sound:
        raise click.exceptions.Exit(1)


def _setting(setting: SettingInForce) -> str:
    return f"{'*' if setting.given else ' '} {setting.name}={setting.value}"
