"""docs/rfc-traceability.md names every route and only tests that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rfc-traceability.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| section")]
ROUTE = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`")
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_route_is_traced_to_what_asks_for_it() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    routes = {
        f"{method.upper()} {path.replace('/api/v1/rebalance', '/rebalance', 1)}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert set(ROUTE.findall(PAGE)) == routes


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(PAGE))), ids=lambda part: part.rpartition("/")[2])
def test_a_named_test_exists(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_every_row_names_a_route_and_a_test(row: str) -> None:
    assert len(ROUTE.findall(row)) == len(TEST.findall(row)) == 1
