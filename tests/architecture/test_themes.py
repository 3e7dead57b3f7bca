"""The two themes differ in colours only: browser tests look for all faults in one of them, for those of colours in both."""

from __future__ import annotations

import re
from pathlib import Path

# A rule for one theme may choose the scheme, from which every `light-dark()` follows, and nothing more.
_FOR_A_THEME = re.compile(r"[^{}]*data-theme(?!-)[^{}]*\{([^{}]*)\}")
_SCHEME = re.compile(r"\s*color-scheme:\s*(?:light|dark);\s*")
_ARGUMENTS = re.compile(r"light-dark\(((?:[^()]|\([^()]*\))*)\)")
_COLOUR = re.compile(r"(?:#[0-9a-f]{3,8}|rgb\([^()]*\))(?:,\s*(?:#[0-9a-f]{3,8}|rgb\([^()]*\)))")


def test_a_theme_changes_colours_and_nothing_else(root: Path) -> None:
    sheets = {path.name: path.read_text(encoding="utf-8") for path in (root / "static" / "css").rglob("*.css")}
    on_screen = {name: text for name, text in sheets.items() if name != "print.css"}
    assert [name for name, text in sheets.items() if "prefers-color-scheme" in text] == []
    rules = [rule for text in on_screen.values() for rule in _FOR_A_THEME.findall(text)]
    assert len(rules) == 2
    assert [rule for rule in rules if not _SCHEME.fullmatch(rule)] == []
    pairs = [pair for text in sheets.values() for pair in _ARGUMENTS.findall(text)]
    assert len(pairs) > 20
    assert [pair for pair in pairs if not _COLOUR.fullmatch(pair)] == []


def test_no_script_or_template_asks_which_theme_is_shown(root: Path) -> None:
    sources = [*(root / "static" / "js").glob("*.js"), *(root / "templates").rglob("*.html")]
    assert len(sources) > 20
    assert [path.name for path in sources if "prefers-color-scheme" in path.read_text(encoding="utf-8")] == []
