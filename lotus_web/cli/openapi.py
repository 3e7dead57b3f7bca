"""The command that prints the description of the JSON routes."""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from lotus_web.api.openapi.document import openapi_document


@click.command("openapi")
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it to this file.")
@with_appcontext
def command(out: Path | None) -> None:
    """Print the OpenAPI 3.1 document, the same as GET /openapi.json."""
    text = json.dumps(openapi_document(current_app), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as refused:
            raise click.ClickException(f"{out} cannot be written: {refused.strerror}.") from None
