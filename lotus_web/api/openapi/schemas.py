"""JSON schemas of all request and response models by name (OpenAPI ``components/schemas``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REF = "#/components/schemas/"
Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]
ModelAndMode = tuple[type[BaseModel], Mode]

TAKES: Mode = "validation"
GIVES: Mode = "serialization"
# The values of these keys are values or names, not schemas.
VERBATIM = frozenset({"const", "default", "enum", "example", "examples", "required"})
NAMED_SCHEMAS = frozenset({"properties", "$defs", "patternProperties"})


class SchemaBook:
    """The schemas of a set of models and of the models that they contain."""

    def __init__(self, pairs: Iterable[ModelAndMode]):
        # Where two models share a name pydantic numbers them by their order, so the order is fixed.
        models = sorted(set(pairs), key=lambda pair: (pair[0].__module__, pair[0].__qualname__, pair[1]))
        refs, found = models_json_schema(models, ref_template=REF + "{model}")
        self._refs = refs
        self.schemas: dict[str, Schema] = {name: tidied(schema) for name, schema in found.get("$defs", {}).items()}

    def ref(self, model: type[BaseModel], mode: Mode) -> Schema:
        """Return the reference to a model's schema."""
        return dict(self._refs[model, mode])

    def schema(self, model: type[BaseModel], mode: Mode) -> Schema:
        """Return a model's own schema."""
        return self.schemas[name_of(self._refs[model, mode])]

    def resolve(self, schema: Schema) -> Schema:
        """Return a schema, following its reference if it is one."""
        return self.schemas[name_of(schema)] if "$ref" in schema else schema

    def components(self, unused: Iterable[type[BaseModel]]) -> dict[str, Schema]:
        """Return the schemas by name, without those of models that are only listed as parameters."""
        left_out = {name_of(self._refs[model, TAKES]) for model in unused}
        return {name: schema for name, schema in sorted(self.schemas.items()) if name not in left_out}


def name_of(reference: Any) -> str:
    """Return the name that a reference points to."""
    return str(reference["$ref"]).removeprefix(REF)


def tidied(schema: Any) -> Any:
    """Return a schema without the titles that only repeat a name, its prose in Markdown."""
    if isinstance(schema, list):
        return [tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tidy: Schema = {}
    for key, value in schema.items():
        if key in VERBATIM:
            tidy[key] = value
        elif key in NAMED_SCHEMAS:
            tidy[key] = {name: tidied(part) for name, part in value.items()}
        elif key == "description":
            tidy[key] = markdown(value)
        elif key != "title":
            tidy[key] = tidied(value)
    return tidy


def markdown(text: str) -> str:
    """Return a docstring as Markdown, one line for each paragraph."""
    paragraphs = [" ".join(part.split()) for part in text.replace("``", "`").split("\n\n")]
    return "\n\n".join(paragraphs)


def without_null(schema: Schema) -> Schema:
    """Return the schema of an optional parameter without null: such a parameter is left out instead."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if not kinds or len(kinds) == len(schema["anyOf"]):
        return rest
    rest.pop("anyOf")
    return (kinds[0] if len(kinds) == 1 else {"anyOf": kinds}) | rest
