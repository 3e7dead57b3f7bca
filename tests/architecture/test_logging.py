"""Only ``telemetry/logs.py`` logs an exception: it knows what of one may be told."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "lotus_web"


def tells_of_exceptions(tree: ast.Module) -> bool:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = any(isinstance(call.func, ast.Attribute) and call.func.attr == "exception" for call in calls)
    return named or any(keyword.arg == "exc_info" for call in calls for keyword in call.keywords)


def test_no_other_module_logs_an_exception() -> None:
    telling = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if tells_of_exceptions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert telling - {"telemetry/logs.py"} == set()


def test_a_module_that_did_would_be_found() -> None:
    assert tells_of_exceptions(ast.parse('log.exception("failed")'))
    assert tells_of_exceptions(ast.parse('log.error("failed", exc_info=error)'))
