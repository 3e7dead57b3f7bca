"""The nursery of the crew, one for all tests of a process of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.races.crew import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where processes come from."""
    made = Nursery(tmp_path_factory.mktemp("crew"))
    yield made
    made.close()
