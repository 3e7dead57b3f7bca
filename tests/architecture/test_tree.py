"""The tree stays one where a word leads to one file: no attics, no file too long to read at a sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lotus_web"
ATTICS = {"utils", "util", "helpers", "helper", "common", "misc"}
LONGEST = 300
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def test_there_is_no_attic() -> None:
    names = [path for path in PACKAGE.rglob("*") if path.stem in ATTICS and "__pycache__" not in path.parts]
    assert names == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == "" or text.startswith('"""')
