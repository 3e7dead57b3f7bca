"""What import-linter cannot say: the domain stands on the standard library and knows no clock, and who may commit."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lotus_web"
OWN = "lotus_web.domain"
# Each of these would make a rule answer differently the second time it is asked, the first by what is installed.
IMPURE_MODULES = {
    "importlib",
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

# What belongs together in these does not belong into one transaction: others must see the first part before the second, or
# the second must stand though the first is undone (docs/adr/0002). All other services flush, and their caller commits.
COMMITS = {
    "services/analyses/scenarios.py": "each scenario by itself, so that one that fails takes nothing with it",
    "services/analyses/operation.py": "the operation before it is carried out",
    "services/operations/worker.py": "the claim before the work, and the end after it",
    "services/audit/transaction.py": "the record of an action that was undone",
    "services/operations/heartbeat.py": "the lease, while the worker computes",
    "services/runs/replay.py": "the new run, once it is computed outside any transaction",
    "services/runs/simulate.py": "the reservation of the key before the engine computes, and the run after it",
}
BEGINS = {"transaction", "begin", "commit"}


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


def called_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


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
def test_a_use_case_is_told_the_time(path: Path) -> None:
    assert [call.attr for call in called_attributes(parsed(path)) if reads_a_clock(call)] == []


@pytest.mark.parametrize("path", [*modules("services"), *modules("queries")])
def test_a_use_case_leaves_the_commit_to_its_caller_or_is_one_of_the_few_that_cannot(path: Path) -> None:
    begun = BEGINS.intersection(called_names(parsed(path)))
    assert bool(begun) == (path.relative_to(PACKAGE).as_posix() in COMMITS), begun
