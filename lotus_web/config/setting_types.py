"""The kinds of settings: each is one environment variable, parsed on every read, with a description of the values it allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar, overload

from lotus_web.domain.json_members import RepeatedMember

T = TypeVar("T")

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
# int() and float() also take "1_0", "٣", "+1" and "nan"; a setting is written in plain digits.
WHOLE = re.compile(r"[0-9]{1,18}")
DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class HasEnviron(Protocol):
    """An object with settings and the mapping they are read from."""

    @property
    def environ(self) -> Mapping[str, str]: ...


class BadSetting(ValueError):
    """A setting has a value that is not allowed; the message gives its name, the value and what is allowed."""

    def __init__(self, name: str, value: str, allowed: str):
        super().__init__(f"{name}={value!r} is not a value of this setting; allowed: {allowed}")
        self.name = name


class Setting(Generic[T]):
    """One environment variable, parsed on every read; an empty value means the default."""

    def __init__(
        self, name: str, default: T, parse: Callable[[str], T], allowed: str, note: str, *, secret: bool = False
    ):
        self.name, self.default, self.parse, self.allowed = name, default, parse, allowed
        self.note, self.secret = note, secret

    @overload
    def __get__(self, obj: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, obj: HasEnviron, owner: type) -> T: ...
    def __get__(self, obj: HasEnviron | None, owner: type) -> Setting[T] | T:
        return self if obj is None else self.read(obj.environ)

    def read(self, environ: Mapping[str, str]) -> T:
        """Return the value in force; raises BadSetting."""
        raw = environ.get(self.name, "").strip()
        if not raw:
            return self.default
        try:
            return self.parse(raw)
        except RepeatedMember as twice:
            raise BadSetting(self.name, "…" if self.secret else raw, f"{self.allowed}. {twice}") from None
        except ValueError:
            raise BadSetting(self.name, "…" if self.secret else raw, self.allowed) from None


def flag(name: str, default: bool, note: str) -> Setting[bool]:
    """A switch: true/yes/on/1 or false/no/off/0 in any case."""

    def parse(raw: str) -> bool:
        word = raw.lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ValueError(raw)
        return word in TRUE_WORDS

    return Setting(name, default, parse, "true, false", note)


def whole(name: str, default: int, note: str, *, low: int = 1, high: int = 10**9) -> Setting[int]:
    """A whole number within ``low``..``high``, written in the digits 0-9."""

    def parse(raw: str) -> int:
        if not WHOLE.fullmatch(raw) or not low <= int(raw) <= high:
            raise ValueError(raw)
        return int(raw)

    return Setting(name, default, parse, f"a whole number from {low} to {high}", note)


def seconds(name: str, default: float, note: str, *, low: float, high: int) -> Setting[float]:
    """A number of seconds within ``low``..``high``, decimals allowed, written in the digits 0-9."""

    def parse(raw: str) -> float:
        if not DECIMAL.fullmatch(raw) or not low <= float(raw) <= high:
            raise ValueError(raw)
        return float(raw)

    return Setting(name, default, parse, f"a number from {low} to {high}", note)


def choice(name: str, default: str, values: tuple[str, ...], note: str) -> Setting[str]:
    """One of ``values``, in upper or lower case; returned as spelled in ``values``."""

    def parse(raw: str) -> str:
        for value in values:
            if raw.lower() == value.lower():
                return value
        raise ValueError(raw)

    return Setting(name, default, parse, ", ".join(values), note)


def text(name: str, default: str, note: str, *, secret: bool = False, min_bytes: int = 0) -> Setting[str]:
    """Free text of at least ``min_bytes`` bytes."""

    def parse(raw: str) -> str:
        if len(raw.encode()) < min_bytes:
            raise ValueError(raw)
        return raw

    return Setting(
        name, default, parse, f"text of at least {min_bytes} bytes" if min_bytes else "text", note, secret=secret
    )


def line(name: str, default: str, note: str) -> Setting[str]:
    """Printable text, as an HTTP header can carry it."""

    def parse(raw: str) -> str:
        if not raw.isprintable():
            raise ValueError(raw)
        return raw

    return Setting(name, default, parse, "visible characters", note)


def names(name: str, default: tuple[str, ...], values: tuple[str, ...], note: str) -> Setting[tuple[str, ...]]:
    """A comma-separated list of entries from ``values``; a list without entries means the default."""

    def parse(raw: str) -> tuple[str, ...]:
        found = tuple(part.strip() for part in raw.split(",") if part.strip())
        if any(part not in values for part in found):
            raise ValueError(raw)
        return found or default

    return Setting(name, default, parse, "a comma-separated list of " + ", ".join(values), note)


def words(name: str, note: str) -> Setting[tuple[str, ...]]:
    """A comma-separated list of any words; empty by default."""

    def parse(raw: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in raw.split(",") if part.strip())

    return Setting(name, (), parse, "a comma-separated list", note)
