"""JSON schemas in words: what a value is, with the names that lead to more, and what bounds it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup, escape

Schema = Mapping[str, Any]
SCHEMAS = "#/components/schemas/"
_CODE = re.compile(r"`([^`]+)`")


class Word(NamedTuple):
    """A piece of a type; ``target`` is the schema that it names."""

    text: str
    target: str | None = None


def prose(text: str) -> Markup:
    """Return a line of the document with its code marked up, everything else escaped."""
    parts = _CODE.split(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts))


def words(schema: Schema) -> tuple[Word, ...]:
    """Return a type as it is read: ``list of Money``, ``text or null``."""
    return tuple(_words(schema))


def _words(schema: Schema) -> Iterator[Word]:
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(SCHEMAS)
        yield Word(name, name)
    elif "const" in schema:
        yield Word(f"“{schema['const']}”")
    elif "enum" in schema:
        yield Word(" or ".join(f"“{value}”" for value in schema["enum"]))
    elif "anyOf" in schema or "oneOf" in schema:
        yield from _either(schema.get("anyOf") or schema["oneOf"])
    else:
        yield from _plain(schema)


def _either(kinds: list[Schema]) -> Iterator[Word]:
    for number, kind in enumerate(kinds):
        if number:
            yield Word(" or ")
        yield from _words(kind)


def _plain(schema: Schema) -> Iterator[Word]:
    kind = schema.get("type")
    if kind == "array":
        yield Word("list of ")
        yield from _words(schema.get("items", {}))
    elif kind == "object" and "properties" in schema:
        yield from _object(schema["properties"])
    elif kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        yield Word("map of text to ")
        yield from _words(schema["additionalProperties"])
    elif schema.get("format") == "date-time":
        yield Word("instant")
    else:
        names = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}
        yield Word(names.get(str(kind), str(kind or "any value")))


def _object(members: Mapping[str, Schema]) -> Iterator[Word]:
    yield Word("{ ")
    for number, (name, member) in enumerate(members.items()):
        yield Word(f"{', ' if number else ''}{name}: ")
        yield from _words(member)
    yield Word(" }")


def bounds(schema: Schema) -> str:
    """Return the bounds of a value and its default."""
    found = [text for text in (_length(schema), _range(schema), _default(schema)) if text]
    return "; ".join(found)


def _length(schema: Schema) -> str:
    unit = "entries" if schema.get("type") == "array" else "characters"
    low, high = (
        schema.get(name) for name in (("minItems", "maxItems") if unit == "entries" else ("minLength", "maxLength"))
    )
    if low and high:
        return f"{low:,} to {high:,} {unit}"
    return f"at most {high:,} {unit}" if high else f"at least {low:,} {unit}" if low else ""


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}" if high is not None else ""


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None or isinstance(value, (dict, list)):
        return ""
    shown = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return f"{shown} if left out"
