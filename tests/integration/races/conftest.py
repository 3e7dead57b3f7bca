"""The nursery of the crew, one for all tests of a process of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.races.crew import Nursery


@pytest.fixture(scope="session")
def one_nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("crew"))
    yield made
    made.close()


@pytest.fixture
def nursery(one_nursery: Nursery) -> Iterator[Nursery]:
    """Where processes come from; those of a test end with it."""
    yield one_nursery
    one_nursery.send_home()
