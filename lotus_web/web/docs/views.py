"""The reference of the JSON routes, for the people who write programs against them."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from lotus_web.web.docs.reference import Reader, Reference
from lotus_web.web.guard.access import public

blueprint = Blueprint("docs", __name__)

# Set by the JSON routes: () -> the OpenAPI document of the running application.
OPENAPI = "lotus_openapi"
DRAWN = "lotus_reference"


@blueprint.get("/docs")
@public
def show() -> ResponseReturnValue:
    """Show the reference; it is the same for everyone."""
    reference, text = _drawn()
    return render_template("docs/reference.html", reference=reference, text=text)


def _drawn() -> tuple[Reference, str]:
    """Return the reference and its long part as HTML, drawn once: it changes only with the program."""
    found: tuple[Reference, str] | None = current_app.extensions.get(DRAWN)
    if found is None:
        reference = Reader(current_app.extensions[OPENAPI]()).read()
        found = reference, render_template("docs/_reference.html", reference=reference)
        current_app.extensions[DRAWN] = found
    return found
