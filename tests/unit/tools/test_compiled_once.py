"""What tests share is what each app would have compiled for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import column, create_engine, select
from sqlalchemy.sql.elements import ClauseElement
from werkzeug.routing import BaseConverter, Rule

from tests.tools import compiled_once
from tests.tools.compiled_once import share_routes, share_statements


class Even(BaseConverter):
    regex = "[02468]"


class Odd(BaseConverter):
    regex = "[13579]"


def app_with(rule: str, **options: Any) -> Flask:
    app = Flask(__name__)
    app.url_map.converters["digit"] = options.pop("converter", Even)
    app.add_url_rule(rule, "found", lambda **_: "", **options)
    return app


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("/a/<int:number>/", {}),
        ("/a/<digit:one>", {}),
        ("/a/<digit:one>", {"converter": Odd}),
        ("/a/<path:rest>/end", {}),
        ("/a/<two>", {"defaults": {"two": "2"}}),
        ("/a/<two>", {"subdomain": "<three>"}),
    ],
)
def test_a_rule_that_was_parsed_before_is_as_one_that_was_not(
    rule: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed() -> dict[str, Any]:
        one = next(one for one in app_with(rule, **dict(options)).url_map.iter_rules() if one.endpoint == "found")
        converters = {name: type(converter) for name, converter in one._converters.items()}
        return {"parts": one._parts, "trace": one._trace, "converters": converters, "arguments": one.arguments}

    with monkeypatch.context() as patched:
        patched.setattr(Rule, "compile", compiled_once._compile_rule)
        alone = parsed()
    share_routes()
    assert [parsed(), parsed()] == [alone, alone]


def test_engines_of_a_kind_share_compiled_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    share_statements()
    monkeypatch.setattr(ClauseElement, "_compiler", counting(ClauseElement._compiler, compiled))
    statement = select(column("of_this_test_alone"))
    dialects = [create_engine(url).dialect for url in ("sqlite://", "sqlite://", "postgresql+psycopg://")]
    for dialect in dialects:
        statement._compile_w_cache(dialect, compiled_cache={}, column_keys=[])
    assert compiled == ["sqlite", "postgresql"]


def counting(original: Callable[..., Any], compiled: list[str]) -> Callable[..., Any]:
    def compile_and_note(statement: ClauseElement, dialect: Any, **options: Any) -> Any:
        compiled.append(dialect.name)
        return original(statement, dialect, **options)

    return compile_and_note
