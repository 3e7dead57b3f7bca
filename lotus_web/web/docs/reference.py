"""The OpenAPI document as the reference page shows it: chapters of routes, their answers, and the shapes of bodies."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from lotus_web.web.docs.types import Word, bounds, prose, words

Document = Mapping[str, Any]
SAME_AS = "x-same-as"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a route or a member of a shape."""

    name: str
    type: tuple[Word, ...]
    required: bool
    text: Markup
    bounds: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A document as it is sent; ``shown_at`` is the route that shows the same one already."""

    name: str
    value: Any
    shown_at: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One status of a route; ``lines`` say when, one a code."""

    status: str
    phrase: str
    lines: tuple[Markup, ...]
    type: tuple[Word, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What a route takes."""

    type: tuple[Word, ...]
    text: Markup
    example: Example


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path; ``twin`` is the other path that it answers under."""

    id: str
    method: str
    path: str
    twin: str | None
    summary: str
    text: Markup
    fields: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    everywhere: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """Routes that belong together."""

    id: str
    name: str
    text: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A named schema."""

    name: str
    text: Markup
    type: tuple[Word, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole page."""

    version: str
    intro: tuple[Markup, ...]
    headers: tuple[Field, ...]
    chapters: tuple[Chapter, ...]
    everywhere: tuple[Answer, ...]
    shapes: tuple[Shape, ...]


class Reader:
    """Reads one document."""

    def __init__(self, document: Document):
        self.document = document
        self.shown: dict[str, str] = {}
        self.twins = {
            operation[SAME_AS]: path
            for path, methods in document["paths"].items()
            for operation in methods.values()
            if SAME_AS in operation
        }

    def read(self) -> Reference:
        """Return the page."""
        info, parts = self.document["info"], self.document["components"]
        return Reference(
            version=info["version"],
            intro=tuple(prose(paragraph.replace("\n", " ")) for paragraph in info["description"].split("\n\n")),
            headers=tuple(self._field(parameter) for parameter in parts["parameters"].values()),
            chapters=tuple(self._chapters()),
            everywhere=tuple(self._everywhere(parts["responses"])),
            shapes=tuple(self._shape(name, schema) for name, schema in parts["schemas"].items()),
        )

    def _chapters(self) -> Iterator[Chapter]:
        routes = list(self._operations())
        for tag in self.document["tags"]:
            own = tuple(self._route(*found) for found in routes if tag["name"] in found[2]["tags"])
            yield Chapter(f"chapter-{slug(tag['name'])}", tag["name"], tag.get("description", ""), own)

    def _operations(self) -> Iterator[tuple[str, str, Document]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if SAME_AS not in operation:
                    yield method.upper(), path, operation

    def _route(self, method: str, path: str, operation: Document) -> Route:
        own = [one for one in operation["parameters"] if "$ref" not in one]
        shared = [status for status, answer in operation["responses"].items() if "$ref" in answer]
        return Route(
            id=operation["operationId"],
            method=method,
            path=path,
            twin=self.twins.get(operation["operationId"]),
            summary=operation["summary"],
            text=prose(operation["description"]),
            fields=tuple(self._field(one) for one in own),
            body=self._body(operation["requestBody"], operation["operationId"]) if "requestBody" in operation else None,
            answers=tuple(
                self._answer(status, answer, operation["operationId"])
                for status, answer in operation["responses"].items()
                if status not in shared
            ),
            everywhere=tuple(shared),
            command=command(method, path, operation, own),
        )

    def _field(self, parameter: Document) -> Field:
        schema = parameter["schema"]
        return Field(
            name=parameter["name"],
            type=words(schema),
            required=parameter.get("required", False),
            text=prose(parameter.get("description", "")),
            bounds=bounds(schema),
            place=parameter["in"],
        )

    def _body(self, body: Document, place: str) -> Body:
        ((_, content),) = body["content"].items()
        return Body(words(content["schema"]), prose(body.get("description", "")), self._examples(content, place)[0])

    def _answer(self, status: str, answer: Document, place: str) -> Answer:
        ((_, content),) = answer["content"].items()
        return Answer(
            status=status,
            phrase=HTTPStatus(int(status)).phrase,
            lines=tuple(prose(line.removeprefix("- ")) for line in answer["description"].split("\n") if line),
            type=words(content["schema"]) if status.startswith("2") else (),
            examples=self._examples(content, place),
        )

    def _everywhere(self, responses: Mapping[str, Document]) -> Iterator[Answer]:
        """Yield the answers of every route, each status once, with what every surface sends."""
        statuses: dict[str, list[str]] = {}
        for methods in self.document["paths"].values():
            for operation in methods.values():
                for status, answer in operation["responses"].items():
                    names = statuses.setdefault(status, [])
                    if "$ref" in answer and answer["$ref"] not in names:
                        names.append(answer["$ref"])
        for status, references in sorted(statuses.items()):
            found = [self._answer(status, responses[name.rpartition("/")[2]], "everywhere") for name in references]
            if found:
                examples = tuple(example for one in found for example in one.examples)
                yield Answer(status, found[0].phrase, found[0].lines, (), examples)

    def _examples(self, content: Document, place: str) -> tuple[Example, ...]:
        """Return the examples of an answer or a body; one that another place shows is led to, not shown again."""
        found = []
        for name, one in content["examples"].items():
            first = self.shown.setdefault(one["$ref"], place) if "$ref" in one else place
            found.append(Example(name, self._resolved(one)["value"], None if first == place else first))
        return tuple(found)

    def _resolved(self, part: Document) -> Document:
        found = self.document
        for name in part.get("$ref", "").split("/")[1:]:
            found = found[name]
        return found if "$ref" in part else part

    def _shape(self, name: str, schema: Document) -> Shape:
        members = schema.get("properties", {})
        fields = tuple(
            Field(key, words(one), key in schema.get("required", ()), prose(one.get("description", "")), bounds(one))
            for key, one in members.items()
        )
        return Shape(name, prose(schema.get("description", "")), () if members else words(schema), fields)


def slug(text: str) -> str:
    """Return a heading as an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def command(method: str, path: str, operation: Document, parameters: list[Document]) -> str:
    """Return a call of the route as it is typed into a shell."""
    values = {one["name"]: str(one.get("example", one["name"])) for one in parameters}
    filled = re.sub(r"{([a-z_]+)}", lambda found: quote(values[found[1]], safe=""), path)
    lines = [f'curl {"" if method == "GET" else f"-X {method} "}"$LOTUS{filled}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    sent = [one["name"] for one in parameters if one["in"] == "header" and one.get("required")]
    lines += ["-H " + shlex.quote(f"{name}: {values[name]}") for name in sent]
    if "requestBody" in operation:
        lines += ["-H 'Content-Type: application/json'", "-d @body.json"]
    return " \\\n  ".join(lines)
