"""An adviser and a reviewer, each with an account of their own that speaks for nobody else."""

from __future__ import annotations

import pytest

from lotus_web.domain.access import Permission
from tests.contract.callers import Caller
from tests.contract.conftest import MakeCaller


@pytest.fixture
def adviser(make_caller: MakeCaller) -> Caller:
    """Makes proposals and carries them on."""
    return make_caller("leo.adviser", (Permission.RUNS_READ, Permission.PROPOSALS_WRITE))


@pytest.fixture
def reviewer(make_caller: MakeCaller) -> Caller:
    """Decides what is under review."""
    return make_caller("rosa.reviewer", (Permission.RUNS_READ, Permission.WORKFLOW_REVIEW))
