"""The contracts that ``make check`` holds cover every layer, and have no hole that a new module could slip through."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lotus_web"
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
# Alembic's own folder; its versions are history.
OUTSIDE = {"lotus_web.migrations"}
ABOVE_FLASK = {"cli", "web", "api", "jobs", "demo", "http"}
# What an entry point asks the running application for.
NEEDS_THE_APPLICATION = {"lotus_web.config.current", "lotus_web.config.features"}


def folders(parent: Path) -> set[str]:
    return {path.parent.name for path in parent.glob("*/__init__.py")}


def contracts(kind: str) -> list[dict[str, Any]]:
    return [contract for contract in LINTER["contracts"] if contract["type"] == kind]


def test_every_folder_of_the_package_is_a_layer() -> None:
    (layers,) = contracts("layers")
    named = {name.strip() for line in layers["layers"] for name in line.split("|")}
    assert named == {f"lotus_web.{name}" for name in folders(PACKAGE)} - OUTSIDE


def test_no_layer_may_have_a_cycle() -> None:
    (acyclic,) = contracts("acyclic_siblings")
    assert set(acyclic["ancestors"]) - {"lotus_web"} == {f"lotus_web.{name}" for name in folders(PACKAGE)} - OUTSIDE
    assert acyclic.keys() == {"name", "type", "ancestors"}, "no depth, nothing skipped, nothing ignored"


def test_nothing_below_http_reaches_flask_even_indirectly() -> None:
    (strict,) = [one for one in contracts("forbidden") if "lotus_web.services" in one["source_modules"]]
    below = {f"lotus_web.{name}" for name in folders(PACKAGE) - ABOVE_FLASK} - OUTSIDE - {"lotus_web.config"}
    config = {f"lotus_web.config.{path.stem}" for path in (PACKAGE / "config").glob("*.py") if path.stem != "__init__"}
    assert set(strict["source_modules"]) == below | (config - NEEDS_THE_APPLICATION)
    assert {"flask", "werkzeug", "flask_sqlalchemy", "lotus_web.http"} <= set(strict["forbidden_modules"])
    assert set(strict["forbidden_modules"]) >= NEEDS_THE_APPLICATION
    assert strict["ignore_imports"] == ["lotus_web.store.session -> flask_sqlalchemy"]
    assert "allow_indirect_imports" not in strict
