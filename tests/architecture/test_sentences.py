"""Errors bring a template and values, and pages put the values in their own words: nothing searches finished sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_web.domain import errors

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lotus_web").rglob("*.py"))
ERRORS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.LotusError)
)
# Of these, what ``message`` belongs to: the words of a status, and how a stored operation ended.
OTHERS = ("words.message", "operation.error.message")


def finished_sentences(tree: ast.AST) -> Iterator[str]:
    """Yield the messages of errors, and templates, that are put together before a surface has its say."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        if call.func.id not in ERRORS | {"Sentence"}:
            continue
        given = [*call.args[:2], *(one.value for one in call.keywords if one.arg == "message")]
        for value in given:
            formatted = (
                isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format"
            )
            if formatted or isinstance(value, ast.JoinedStr | ast.BinOp):
                yield f"{value.lineno}: {ast.unparse(value)}"


def test_the_message_of_an_error_is_a_template_with_values() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{one}" for path in SOURCES for one in finished_sentences(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ['Conflict("c", f"Held by {name}.")', 'Conflict("c", "Held by " + name)', 'Forbidden(message="{}".format(name))'],
)
def test_a_finished_sentence_would_be_found(source: str) -> None:
    assert list(finished_sentences(ast.parse(source)))


def test_pages_render_the_sentence_of_an_error_and_not_its_message() -> None:
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "lotus_web" / "web").rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}: {one}"
        for path in pages
        for one in re.findall(r"[\w.]+\.message\b", path.read_text())
        if one not in OTHERS
    ]
    assert found == []
