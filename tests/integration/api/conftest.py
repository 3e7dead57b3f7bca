"""Callers of ``/api/v1`` with tokens of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from tests.contract.callers import ALL, Caller, bearer_of

MakeCaller = Callable[..., Caller]


@pytest.fixture
def make_caller(app: Flask) -> MakeCaller:
    """``make_caller(account, permissions, tenant=…) -> Caller``."""

    def make(account: str = "pms", permissions: Iterable[Permission] = ALL, tenant: str = "default") -> Caller:
        bearer = bearer_of(app, account, permissions, tenant)
        return Caller(app.test_client(), account, bearer, None if tenant == "default" else tenant)

    return make


@pytest.fixture
def chief(make_caller: MakeCaller) -> Caller:
    """A service account that may do everything."""
    return make_caller("chief")
