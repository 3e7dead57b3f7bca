"""What import-linter cannot say: the domain stands on the standard library and knows no clock, and who may commit."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

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
    "services/proposals/operation.py": "the operation before it is carried out",
    "services/operations/worker.py": "the claim before the work, and the end after it",
    "services/audit/transaction.py": "the record of an action that was undone",
    "services/operations/heartbeat.py": "the lease, while the worker computes",
    "services/runs/replay.py": "the new run, once it is computed outside any transaction",
    "services/proposals/create.py": "a look for the key before the engine computes, and the proposal after it",
    "services/proposals/versions.py": "a look at the proposal before the engine computes, and the version after it",
    "services/proposals/simulate.py": "a look for the key before the engine computes, and the simulation after it",
    "services/runs/simulate.py": "the reservation of the key before the engine computes, and the run after it",
}
BEGINS = {"transaction", "begin", "commit"}


def modules(*layers: str) -> Iterator[tuple[str, ast.Module]]:
    for layer in layers:
        for path in sorted((PACKAGE / layer).rglob("*.py")):
            yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


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


def test_the_domain_imports_the_standard_library_and_itself_only() -> None:
    for name, tree in modules("domain"):
        foreign = {module for module in imported(tree) if not f"{module}.".startswith(f"{OWN}.")}
        assert {module for module in foreign if module.split(".")[0] not in sys.stdlib_module_names} == set(), name


def test_the_domain_knows_no_clock_no_chance_and_no_machine() -> None:
    for name, tree in modules("domain"):
        assert {module.split(".")[0] for module in imported(tree)} & IMPURE_MODULES == set(), name
        assert [call.attr for call in called_attributes(tree) if reads_a_clock(call)] == [], name


def test_a_use_case_is_told_the_time() -> None:
    for name, tree in modules("services", "queries"):
        assert [call.attr for call in called_attributes(tree) if reads_a_clock(call)] == [], name


def test_a_use_case_leaves_the_commit_to_its_caller_or_is_one_of_the_few_that_cannot() -> None:
    beginning = {name for name, tree in modules("services", "queries") if BEGINS.intersection(called_names(tree))}
    assert beginning == COMMITS.keys()
    decision = (PACKAGE.parent / "docs/adr/0002-one-store-three-backends.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(services/[\w/]+\.py)`", decision)) == COMMITS.keys()
