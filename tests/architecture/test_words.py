"""Code, pages and documents use the field's words, and none of their former names (docs/adr/0016-rooms-by-feature.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A former word, and what to write instead. Matched as a whole word, in any case.
INSTEAD = {
    "house": "Lotus Web, or model portfolio",
    "desk": "inbox, or reviewers",
    "doors?": "surface, or entry point",
    "beside": "next to, or in addition to",
    "(?:stands?|stood) (?:in|for|on)": "is written in, is, replaces, imports",
    "wanted": "filters, or what it is: targets, requested, ids",
    "askers?|takers?": "claimant, or caller",
    "lapsed?": "expired",
    "refold(?:ed)?|misfits?": "rebuild, inconsistencies",
    "not_kept|refused_filters": "purged_notice, invalid_filters",
    "on record|on the record": "in the audit log, or history",
    "shut_out|let_in|let go": "disable, enable, release",
    "hangs? on": "depends on",
}
# The credit desk is the example of another system's name.
ALLOWED = re.compile(r"credit-desk")
FORBIDDEN = re.compile(rf"(?<![\w-])(?:{'|'.join(INSTEAD)})(?![\w-])", re.IGNORECASE)
PATTERNS = (
    "lotus_web/**/*.py",
    "templates/**/*.html",
    "static/css/*.css",
    "static/js/*.js",
    "scripts/*",
    "docs/*.md",
    "docs/adr/*.md",
    "*.md",
    "*.py",
    "*.toml",
    "Makefile",
)
# Versions of the schema and of the change log are history.
HISTORY = {"migrations", "CHANGELOG.md"}


def sources() -> Iterator[Path]:
    for pattern in PATTERNS:
        yield from (path for path in sorted(ROOT.glob(pattern)) if path.is_file() and not HISTORY & set(path.parts))


def former_words(text: str) -> list[str]:
    return [found.group() for found in FORBIDDEN.finditer(ALLOWED.sub("", text))]


def test_no_former_word_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in former_words(line)
    ]
    assert found == [], f"write instead: {INSTEAD}"


def test_no_decision_is_named_by_a_former_word() -> None:
    assert [path.name for path in (ROOT / "docs" / "adr").iterdir() if former_words(path.stem.replace("-", " "))] == []


@pytest.mark.parametrize(
    "line",
    ["# One House", "def refused_filters():", "wanted: RunFilter", "it stands beside the run", "kept on record"],
)
def test_a_former_word_would_be_found(line: str) -> None:
    assert former_words(line)


@pytest.mark.parametrize("line", ['"system": "credit-desk"', "understand the standard", "outdoors", "besides"])
def test_other_words_pass(line: str) -> None:
    assert former_words(line) == []
