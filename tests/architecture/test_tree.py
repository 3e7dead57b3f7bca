"""The tree stays one where a word leads to one file: no attics, no crowded room, no file too long to read at a sitting."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lotus_web"
ATTICS = {"utils", "util", "helpers", "helper", "common", "misc"}
LONGEST = 300
MOST_IN_A_ROOM = 20
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def test_there_is_no_attic() -> None:
    names = [path for path in PACKAGE.rglob("*") if path.stem in ATTICS and "__pycache__" not in path.parts]
    assert names == []


def test_no_room_is_crowded() -> None:
    rooms = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {str(room.relative_to(ROOT)) for room, modules in rooms.items() if modules > MOST_IN_A_ROOM} == set()


def test_a_feature_has_one_room_or_one_module() -> None:
    assert [path for path in MODULES if path.with_suffix("").is_dir()] == []


def test_a_module_does_not_repeat_its_room() -> None:
    assert [path for path in MODULES if path.stem.startswith(f"{path.parent.name}_")] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == "" or text.startswith('"""')
