"""A JSON route says who may call it, or it is not registered."""

from __future__ import annotations

import pytest
from flask import Flask
from pydantic import BaseModel

from lotus_web.api.endpoint.params import Answer
from lotus_web.api.endpoint.routing import ApiBlueprint, declaration, declared_routes, endpoint
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission


class Nothing(Answer):
    """An empty answer."""


def test_a_view_without_a_declaration_is_not_taken() -> None:
    routes = ApiBlueprint("api_test", __name__)
    with pytest.raises(TypeError, match="who may call"):
        routes.get("/open")(lambda: Nothing())


def test_what_is_declared_can_be_read_again() -> None:
    view = endpoint("Do nothing", permission=Permission.ADMIN, response=Nothing, status=201)(lambda: Nothing())
    found = declaration(view)
    assert found is not None
    assert (found.permission, found.response, found.status) == (Permission.ADMIN, Nothing, 201)
    assert declaration(lambda: None) is None


@pytest.mark.stores("sqlite")
def test_every_declaration_is_whole(app: Flask) -> None:
    routes = list(declared_routes(app))
    assert len(routes) > 30
    for pattern, methods, _, declared in routes:
        assert methods, pattern
        assert declared.summary.endswith(".") is False, pattern
        assert issubclass(declared.response, BaseModel), pattern
        assert all(hasattr(Settings, feature.setting) for feature in declared.features), pattern
        assert declared.body is None or methods & {"POST", "PUT", "PATCH"}, pattern
