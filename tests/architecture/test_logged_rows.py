"""Rows that are entries of the log as well are written where their entry is noted: as objects that are flushed."""

from __future__ import annotations

import ast
from pathlib import Path

from lotus_web.models.events.logged_rows import FLUSHED

ROOT = Path(__file__).parents[2]
STATEMENTS = {"insert", "insert_into", "insert_rows", "update", "delete"}
LOGGED = {model.__name__: table for model, table in FLUSHED.items()}
# Statements past the objects, each with why no entry is missing after it.
WITHOUT_AN_ENTRY = {
    ("services/proposals/records.py", "update", "Proposal"): {"current_state", "current_version_no", "last_event_at"},
    ("services/sign_in/sessions.py", "update", "PersonSession"): {"last_seen_at", "draft"},
    ("services/retention/housekeeping.py", "delete", "PersonSession"): None,
}


def statements(path: Path) -> set[tuple[str, str, str]]:
    """Return the statements of a module that name a logged table: (module, kind, table)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = path.relative_to(ROOT / "lotus_web").as_posix()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return {
        (module, call.func.id, argument.id)
        for call in calls
        for argument in call.args
        if isinstance(call.func, ast.Name) and call.func.id in STATEMENTS
        if isinstance(argument, ast.Name) and argument.id in LOGGED
    }


def modules() -> list[Path]:
    return [path for path in (ROOT / "lotus_web").rglob("*.py") if "migrations" not in path.parts]


def test_no_statement_writes_a_logged_row_without_its_entry() -> None:
    found = {statement for path in modules() for statement in statements(path)}
    assert found == set(WITHOUT_AN_ENTRY)
    for (_, _, name), columns in WITHOUT_AN_ENTRY.items():
        if columns is None:
            assert LOGGED[name].may_go
        else:
            assert columns <= LOGGED[name].unlogged


def test_no_savepoint_is_rolled_back_and_leaves_the_facts_that_were_noted_since() -> None:
    assert [path for path in modules() if "begin_nested" in path.read_text(encoding="utf-8")] == []
