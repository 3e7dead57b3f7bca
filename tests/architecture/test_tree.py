"""The tree stays one where a word leads to its files: the rules of rooms (docs/adr/0016-rooms-by-feature.md)."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lotus_web"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
ATTICS = {"utils", "util", "helpers", "helper", "common", "misc"}
LONGEST_MODULE = 300
# One file on purpose: an auditor takes it along and reads it in ten minutes.
LONGER = {"wire/lotus_verify.py": 450}
LONGEST_FUNCTION = 40
MOST_IN_A_ROOM = 20
SMALL = 25

# One word a feature, in every layer, in templates and in tests.
FEATURES = {
    "accounts", "advisory", "analyses", "audit", "decisions", "deliveries", "docs", "events", "health", "idempotency", "inbox", "items", "jobs",
    "lineage", "notifications", "operations", "policy_packs", "proposals", "rebalance", "retention", "runs", "search", "sign_in",
    "sla", "studio", "support", "traces", "transparency",
}  # fmt: skip
# What belongs to no feature, a layer at a time.
PLUMBING = {
    "domain": {
        "access",
        "canonical",
        "errors",
        "free_text",
        "identifiers",
        "json_members",
        "paging",
        "sentences",
        "surface",
        "write_policy",
    },
    "services": {"command", "handlers"},
    "queries": {"conditions", "keyset"},
    "wire": {"json_text", "lotus_verify", "packed", "scalars"},
    "web": {"charts", "format", "guard", "shell"},
    "api": {"endpoint", "openapi", "v1"},
    "api/v1": {"envelope", "schemas"},
    "api/rebalance": {"refusals", "schemas"},
}
# Routes that the RFCs name otherwise, with the word of their feature.
ROUTES = {
    "api/rebalance": {"gate": "decisions", "replay": "runs", "simulate": "runs", "support_bundles": "support"},
    "api/v1": {"item_answers": "items", "reason_codes": "decisions"},
}
TEMPLATE_PARTS = {"components", "errors", "layouts"}
LAYERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
KINDS = ("unit", "contract", "integration", "browser")
# Tests of several processes at once, and of the tests' own tools.
TEST_ROOMS = {"races", "tools"}
# Rooms whose `__init__` puts an application, its blueprints, its commands or its tables together.
ASSEMBLIES = {".", "api", "api/openapi", "api/rebalance", "api/v1", "cli", "models", "web"}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def entries(folder: Path) -> set[str]:
    """The modules and rooms of a folder."""
    return {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__init__",
        "__pycache__",
    }


def long_functions(tree: ast.AST) -> Iterator[str]:
    """The functions with too many lines after their signature and docstring."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > LONGEST_FUNCTION:
                yield f"{node.name}: {length} lines"


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_no_attic() -> None:
    assert [path for path in PACKAGE.rglob("*") if path.stem in ATTICS and "__pycache__" not in path.parts] == []


def test_no_module_stands_at_the_root_of_the_package() -> None:
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


def test_a_feature_is_one_module_or_one_room() -> None:
    assert [name(path) for path in MODULES if path.with_suffix("").is_dir()] == []


def test_a_module_does_not_repeat_its_room() -> None:
    repeating = [
        path for path in MODULES if path.stem.startswith((f"{path.parent.name}_", f"{path.parent.name.rstrip('s')}_"))
    ]
    assert [name(path) for path in repeating] == []


def test_no_room_is_crowded() -> None:
    rooms = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {name(room): size for room, size in rooms.items() if size > MOST_IN_A_ROOM} == {}


def test_every_module_can_be_read_at_a_sitting() -> None:
    assert {name(path): lines(path) for path in MODULES if lines(path) > LONGER.get(name(path), LONGEST_MODULE)} == {}


def test_every_function_fits_on_a_screen() -> None:
    found = {name(path): list(long_functions(ast.parse(path.read_text(encoding="utf-8")))) for path in MODULES}
    assert {path: functions for path, functions in found.items() if functions} == {}


def test_a_function_that_is_too_long_would_be_found() -> None:
    head = 'def long(\n    a: int,\n) -> None:\n    """What it does."""\n'
    assert list(long_functions(ast.parse(head + "    pass\n" * 41))) == ["long: 41 lines"]
    assert list(long_functions(ast.parse(head + "    pass\n" * 40))) == []


def test_a_small_module_has_a_second_reader() -> None:
    readers = defaultdict(set)
    for path in MODULES:
        for module in imported_modules(ast.parse(path.read_text(encoding="utf-8"))):
            readers[module.removeprefix("lotus_web.").replace(".", "/") + ".py"].add(name(path))
    small = [path for path in MODULES if lines(path) < SMALL and path.name != "__init__.py"]
    # A table is a file, a job is a file, and what create_app() puts together are files (rule 1 of the layers).
    listed = {"models/__init__.py", "jobs/schedule.py", "__init__.py"}
    lonely = [name(path) for path in small if len(readers[name(path)]) < 2 and not readers[name(path)] & listed]
    assert lonely == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert [name(path) for path in silent] == []


def test_a_room_says_in_one_line_what_it_is_for() -> None:
    long = [path.parent for path in MODULES if path.name == "__init__.py" and lines(path) != 1]
    assert {room.relative_to(PACKAGE).as_posix() for room in long} == ASSEMBLIES
    for room in long:
        first = (room / "__init__.py").read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith('"""')
        assert first.endswith('"""')


def test_one_word_names_a_feature_in_every_layer() -> None:
    strangers = {
        layer: entries(PACKAGE / layer) - FEATURES - plumbing - ROUTES.get(layer, {}).keys()
        for layer, plumbing in PLUMBING.items()
    }
    assert {layer: words for layer, words in strangers.items() if words} == {}
    assert {word for routes in ROUTES.values() for word in routes.values()} <= FEATURES


def test_the_same_word_names_its_templates() -> None:
    assert entries(ROOT / "templates") <= FEATURES | TEMPLATE_PARTS


def test_tests_mirror_the_tree() -> None:
    """tests/<kind>/<layer>/<feature>/test_<what>.py, or tests/<kind>/<feature>/… for what goes through several layers."""
    plumbing = set().union(*PLUMBING.values())
    for kind in KINDS:
        rooms = {path.parent.relative_to(ROOT / "tests" / kind) for path in (ROOT / "tests" / kind).rglob("test_*.py")}
        for room in rooms:
            first, *rest = room.parts
            assert first in LAYERS | FEATURES | plumbing | TEST_ROOMS, room
            assert set(rest[:1]) <= FEATURES | PLUMBING.get(first, set()), room
