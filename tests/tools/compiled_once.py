"""What is compiled once per process instead of once per test: every test has an app and an engine of its own.

Routes, templates and SQL statements compile to the same result in each of them, and compiling again took half of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.util import LRUCache
from werkzeug.routing import Map, Rule

_compile_rule = Rule.compile
_compile_builder = Rule._compile_builder
_compile_statement = ClauseElement._compile_w_cache
_PARSED = ("_parts", "_trace", "_converters", "arguments")
_parsed: dict[tuple[Any, ...], dict[str, Any]] = {}
_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
_dialects: dict[tuple[Any, ...], Dialect] = {}
_statements: LRUCache[Any, Any] = LRUCache(20_000)


class CompiledTemplates(BytecodeCache):
    """The code that templates were compiled to, by their name and content."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket with the stored code, if there is any."""
        bucket.code = self._stored.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store what was compiled."""
        if bucket.code is not None:
            self._stored[bucket.key, bucket.checksum] = bucket.code


_templates = CompiledTemplates()


def share_templates(app: Flask) -> None:
    """Let an app use the templates that other apps compiled."""
    app.jinja_env.bytecode_cache = _templates


def share_routes() -> None:
    """Let equal rules of different apps share what they were parsed to and the function that builds their address."""
    Rule.compile = _compiled_rule  # type: ignore[method-assign]
    Rule._compile_builder = _builder  # type: ignore[method-assign]


def _compiled_rule(rule: Rule) -> None:
    routes = rule.map
    assert isinstance(routes, Map)
    place = rule.host if routes.host_matching else rule.subdomain
    key = (rule.rule, place, rule.merge_slashes, frozenset(rule.arguments), tuple(routes.converters.items()))
    known = _parsed.get(key)
    if known is None:
        _compile_rule(rule)
        _parsed[key] = {name: getattr(rule, name) for name in _PARSED}
        return
    vars(rule).update(known)
    rule._build = rule._compile_builder(False).__get__(rule, None)
    rule._build_unknown = rule._compile_builder(True).__get__(rule, None)


def _builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    reads = (rule.rule, tuple(rule._trace), tuple(sorted((rule.defaults or {}).items())), append_unknown)
    if reads not in _builders:
        _builders[reads] = _compile_builder(rule, append_unknown)
    return _builders[reads]


def share_statements() -> None:
    """Let engines on the same kind and version of database share compiled statements."""
    ClauseElement._compile_w_cache = _compiled_statement  # type: ignore[assignment]


def _compiled_statement(statement: ClauseElement, dialect: Dialect, *, compiled_cache: Any, **options: Any) -> Any:
    if compiled_cache is not None:
        compiled_cache = _statements
        kind = (type(dialect), getattr(dialect, "server_version_info", None), dialect.paramstyle)
        dialect = _dialects.setdefault(kind, dialect)
    return _compile_statement(statement, dialect, compiled_cache=compiled_cache, **options)
