"""Unit tests reach no database: a rule that needs one is not a rule of the domain."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from sqlalchemy.engine import Engine


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a unit test tried to reach a database; it belongs in tests/contract or tests/integration")


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""
    monkeypatch.setattr(Engine, "raw_connection", _refuse)
