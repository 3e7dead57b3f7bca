"""CONTRIBUTING.md and the ADRs tell the truth: the map names each layer, and each path that they name is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lotus_web"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Rules and examples say <kind>, layer/feature and retention/… where no one file is meant.
PATTERN = re.compile(r"`([\w.]+(?:/[\w.*]+)+/?)`|\]\(([\w./-]+)\)")
EXAMPLES = {"layer/feature.py", "layer/feature/", "retention/preview.py", "retention/retention_preview.py"}


def named_paths(text: str) -> set[str]:
    return {one or other for one, other in PATTERN.findall(text)} - EXAMPLES


def is_there(path: str) -> bool:
    return any((folder / path).exists() for folder in (ROOT, PACKAGE, ROOT / "tests"))


def test_each_path_in_it_exists() -> None:
    paths = named_paths(TEXT)
    assert len(paths) > 10
    assert {path for path in paths if not is_there(path)} == set()


def test_each_path_in_a_decision_exists() -> None:
    for decision in sorted((ROOT / "docs" / "adr").glob("*.md")):
        paths = {path for path in named_paths(decision.read_text(encoding="utf-8")) if path.endswith(".py")}
        assert {path for path in paths if not is_there(path)} == set(), decision.name


def test_a_path_that_is_gone_would_be_found() -> None:
    assert {path for path in named_paths("see `domain/gone.py` and [x](docs/adr/9999.md)") if not is_there(path)} == {
        "domain/gone.py",
        "docs/adr/9999.md",
    }


def test_its_map_names_each_layer_once() -> None:
    (drawing,) = re.findall(r"## The map\n\n```\n(.*?)```", TEXT, re.DOTALL)
    layers = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    named = [word for line in drawing.splitlines() for word in line[:26].split()]
    assert sorted(named) == sorted(layers)
