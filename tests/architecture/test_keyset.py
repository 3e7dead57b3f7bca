"""Lists are paged in one module: nobody else writes or reads cursors, asks for one row more than a page, or looks for a horizon."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lotus_web"
KEYSET = PACKAGE / "queries/keyset.py"
OTHERS = sorted(path for path in PACKAGE.rglob("*.py") if path != KEYSET and "migrations" not in path.parts)


def by_hand(source: str) -> Iterator[str]:
    """Yield what a module does by itself that belongs to keyset paging."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(left=ast.Name(id="limit"), op=ast.Add(), right=ast.Constant(value=1)):
                yield f"{node.lineno}: limit + 1"
            case ast.Call(func=ast.Attribute(attr="offset")):
                yield f"{node.lineno}: offset"
            case ast.Attribute(attr="urlsafe_b64encode" | "urlsafe_b64decode"):
                yield f"{node.lineno}: cursor text"
            case ast.Call(func=ast.Name(id="Page"), args=[_, ast.Call(func=ast.Name(id="encode_cursor"))]):
                yield f"{node.lineno}: a page cut by hand"


@pytest.mark.parametrize(
    "source",
    [
        "query.limit(limit + 1)",
        "query.offset(99)",
        "base64.urlsafe_b64encode(x)",
        "Page(rows, encode_cursor(place))",
    ],
)
def test_paging_by_hand_would_be_seen(source: str) -> None:
    assert list(by_hand(source))


def test_only_one_module_pages_lists() -> None:
    found = {str(path.relative_to(PACKAGE)): list(by_hand(path.read_text(encoding="utf-8"))) for path in OTHERS}
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert "limit + 1" in KEYSET.read_text(encoding="utf-8")
