"""Sample pages to be let into or not: pages of each kind of access, forms, and views that fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Blueprint, Flask, Response, render_template_string, request

from lotus_web.domain.access import Permission, forbidden
from lotus_web.domain.errors import (
    Conflict,
    InProgress,
    InvalidInput,
    LotusError,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
)
from lotus_web.web.guard.access import current_actor, public, requires, signed_in
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.shell.htmx import see_other

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Sample</title></head><body>
<p id="who">{{ who }}</p><textarea name="reason">{{ draft.get("reason", "") }}</textarea></body></html>"""
REFUSALS: dict[str, LotusError] = {
    "invalid": InvalidInput("REASON_REQUIRED", "A reason is required."),
    "forbidden": forbidden(Permission.ADMIN),
    "unknown": NotFound("RUN_NOT_FOUND", "There is no such run."),
    "conflict": Conflict("VERSION_CONFLICT", "Max approved it at 10:02."),
    "busy": InProgress("IN_PROGRESS", "Another caller does this.", retry_after=3),
    "slow": TooManyAttempts("Wait a little.", retry_after=60),
    "away": StoreUnavailable(message="The store is away."),
}


blueprint = Blueprint("sample", __name__, url_prefix="/sample")


@blueprint.get("/")
@requires(Permission.RUNS_READ)
def show() -> str:
    actor = current_actor()
    return render_template_string(PAGE, who=f"{actor.actor_id} in {actor.tenant_id}", draft=draft_for("/sample/notes"))


@blueprint.get("/records/<ident:record_id>")
@requires(Permission.RUNS_READ)
def record(record_id: str) -> str:
    return render_template_string(PAGE, who=record_id, draft={})


@blueprint.post("/notes")
@requires(Permission.WORKFLOW_REVIEW)
def note() -> Response | tuple[str, int]:
    if not request.form.get("reason"):
        raise REFUSALS["invalid"]
    return see_other("/sample/")


@blueprint.get("/hall")
@public
def hall() -> str:
    return render_template_string(PAGE, who="anyone", draft={})


@blueprint.get("/lounge")
@signed_in
def lounge() -> str:
    return render_template_string(PAGE, who="whoever is signed in", draft={})


@blueprint.get("/vault")
@requires(Permission.ADMIN)
def vault() -> str:
    return render_template_string(PAGE, who="gold", draft={})


@blueprint.route("/refuse/<kind>", methods=["GET", "POST"])
@public
def refuse(kind: str) -> str:
    raise REFUSALS[kind]


@blueprint.get("/break")
@public
def fall_over() -> str:
    raise RuntimeError("the secret cause")


@blueprint.get("/unmarked")
def unmarked() -> str:
    return "nobody thought about who may see this"


@pytest.fixture
def at_noon() -> Iterator[None]:
    """It is noon and the time goes on: what happens now and what happened a little while ago is of one day."""
    with time_machine.travel(datetime(2026, 11, 2, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def sample_pages(app: Flask) -> Flask:
    """The app with the sample pages under ``/sample``."""
    app.register_blueprint(blueprint)
    return app
