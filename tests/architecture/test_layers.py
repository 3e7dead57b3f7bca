"""What import-linter cannot say: the domain stands on the standard library, knows no clock, and services never commit."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lotus_web"
OWN = "lotus_web.domain"
# Each of these would make a rule answer differently the second time it is asked.
IMPURE_MODULES = {
    "random",
    "secrets",
    "uuid",
    "time",
    "os",
    "io",
    "socket",
    "subprocess",
    "pathlib",
    "tempfile",
    "logging",
}
CLOCKS = {"now", "utcnow", "today"}
TYPES_WITH_CLOCKS = {"datetime", "date"}
# A lease goes by the clock of the store, which all processes share; on SQLite that is this machine's.
TELLS_THE_TIME = {PACKAGE / "services" / "leases.py"}


def modules(folder: str) -> list[object]:
    paths = sorted((PACKAGE / folder).rglob("*.py"))
    return [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in paths]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield str(node.module)


def called_attributes(tree: ast.Module) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func


def reads_a_clock(call: ast.Attribute) -> bool:
    owner = call.value.attr if isinstance(call.value, ast.Attribute) else getattr(call.value, "id", "")
    return call.attr in CLOCKS and owner in TYPES_WITH_CLOCKS


@pytest.mark.parametrize("path", modules("domain"))
def test_the_domain_imports_the_standard_library_and_itself_only(path: Path) -> None:
    names = {name for name in imported(parsed(path)) if not f"{name}.".startswith(f"{OWN}.")}
    assert {name for name in names if name.split(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.parametrize("path", modules("domain"))
def test_the_domain_knows_no_clock_no_chance_and_no_machine(path: Path) -> None:
    tree = parsed(path)
    assert {name.split(".")[0] for name in imported(tree)} & IMPURE_MODULES == set()
    assert [call.attr for call in called_attributes(tree) if reads_a_clock(call)] == []


@pytest.mark.parametrize("path", [*modules("services"), *modules("queries")])
def test_a_use_case_is_told_the_time_and_leaves_the_commit_to_its_caller(path: Path) -> None:
    calls = list(called_attributes(parsed(path)))
    assert [call.attr for call in calls if call.attr == "commit"] == []
    assert path in TELLS_THE_TIME or [call.attr for call in calls if reads_a_clock(call)] == []
