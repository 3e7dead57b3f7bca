"""People of the console: vera looks, leo advises, nora reviews, max manages, ada administers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import people
from tests.support.digests import content_of

ClientOf = Callable[[str], FlaskClient]


@pytest.fixture
def nora(app: Flask) -> str:
    """A reviewer of the default tenant."""
    return people.hire(app, "nora")


@pytest.fixture
def content(app: Flask, store_url: str) -> Callable[[], str]:
    """``content()``: a digest of everything in the store."""
    return lambda: content_of(app, store_url)


@pytest.fixture
def client_of(app: Flask) -> ClientOf:
    """``client_of("max")``: a client of its own in which that person of ``people.CAST`` has signed in."""
    hired: set[str] = set()

    def make(name: str) -> FlaskClient:
        if name not in hired:
            people.hire(app, name)
            hired.add(name)
        client = app.test_client()
        assert people.sign_in(client, name).status_code == 303
        return client

    return make
