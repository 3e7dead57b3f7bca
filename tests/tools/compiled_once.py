"""What is compiled once a process: every test has an app of its own, and compiling the same again took half of its time."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

_compile_builder = Rule._compile_builder
_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}


class CompiledTemplates(BytecodeCache):
    """The code that templates were compiled to, by their name and content."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put in what is kept, if anything is."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_templates = CompiledTemplates()


def share_templates(app: Flask) -> None:
    """Let an app use what others compiled."""
    app.jinja_env.bytecode_cache = _templates


def share_routes() -> None:
    """Let rules that read alike share the function that builds their address; it asks the rule itself for all else."""
    Rule._compile_builder = _builder  # type: ignore[method-assign]


def _builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    reads = (rule.rule, tuple(rule._trace), tuple(sorted((rule.defaults or {}).items())), append_unknown)
    if reads not in _builders:
        _builders[reads] = _compile_builder(rule, append_unknown)
    return _builders[reads]
