"""Sentences as a template and typed values, so that each surface renders them in its own words.

JSON, files and the audit log name accounts and permissions by their ids. Pages show display names and say what a
permission allows. A value is put into its place once and never searched for in finished text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A person or service account that a sentence names."""

    name: str


# A permission, role, status or action is an enum of strings. A tuple is a list, joined with "and".
Plain = str | int | Account | datetime
Word = Callable[[Plain], str]


def plain(value: Plain) -> str:
    """Return a value as JSON and files say it: ids, and instants in UTC to the minute."""
    match value:
        case Account(name):
            return name
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
    return str(value)


class Sentence:
    """A template such as ``"This item is held by {holder}."`` and the values of its placeholders."""

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: Plain | Sentence | tuple[Plain, ...]):
        self.template = template
        self.values = values

    @classmethod
    def literal(cls, text: str) -> Sentence:
        """Return a sentence that is always the same text, braces included."""
        return cls("{text}", text=text)

    def render(self, word: Word = plain) -> str:
        """Return the sentence with ``word`` applied to each value; raises KeyError for a placeholder without a value."""
        return self.template.format_map({name: _rendered(value, word) for name, value in self.values.items()})

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        return f"Sentence({self.template!r}, {self.values!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and (self.template, self.values) == (other.template, other.values)

    def __hash__(self) -> int:
        return hash((self.template, str(self)))


def _rendered(value: Plain | Sentence | tuple[Plain, ...], word: Word) -> str:
    if isinstance(value, Sentence):
        return value.render(word)
    return " and ".join(word(one) for one in value) if isinstance(value, tuple) else word(value)


def to_json(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of a stored sentence as JSON: ``{"account": name}``, ``{"at": instant}``, or the text itself."""
    return {name: _to_json(value) for name, value in values.items()}


def _to_json(value: object) -> object:
    match value:
        case Account(name):
            return {"account": name}
        case datetime():
            return {"at": value.isoformat(timespec="microseconds")}
        case int():
            return value
    return str(value)


def from_json(document: Mapping[str, object]) -> dict[str, Plain]:
    """Return what ``to_json`` stored."""
    return {name: _from_json(value) for name, value in document.items()}


def _from_json(value: object) -> Plain:
    match value:
        case {"account": str(name)}:
            return Account(name)
        case {"at": str(instant)}:
            return datetime.fromisoformat(instant)
        case int():
            return value
    return str(value)


def switched_off(what: str) -> Sentence:
    """Return the sentence that says that a part of the service is switched off; ``what`` says which."""
    return Sentence("{what} by the operator of this service.", what=what)
