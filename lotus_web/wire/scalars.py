"""Numbers and texts from JSON: exact, finite and of a bounded size."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from lotus_web.domain.identifiers import ACTOR_MAX

MAX_DIGITS = 38
MAX_EXPONENT = 30
MAX_TEXT = 255
LONGEST_NUMBER_TEXT = 100
NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NON_FINITE_TEXT = re.compile(r"[+-]?(?:s?nan[0-9]*|inf(?:inity)?)", re.IGNORECASE)


def parse_number(value: object) -> Decimal:
    """Return a JSON string, integer or float as an exact Decimal; a float goes through its shortest text.

    Refuses booleans, null, NaN, infinities, other texts, more than 38 digits and magnitudes beyond 1E±30.
    """
    if isinstance(value, Decimal):
        return _bounded(value)
    if isinstance(value, str):
        return _bounded(_from_text(value.strip()))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("decimal_type", "Decimal input should be an integer, float, string or Decimal object")
    if isinstance(value, int):
        return _bounded(Decimal(value)) if value.bit_length() <= 4 * MAX_DIGITS else _refuse_size()
    return _bounded(Decimal(repr(value)))


def _from_text(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER_TEXT:
        return _refuse_size()
    if NUMBER_TEXT.fullmatch(text) or NON_FINITE_TEXT.fullmatch(text):
        try:
            return Decimal(text)
        except InvalidOperation:  # an exponent of twenty digits is a number, and none that Decimal can hold
            return _refuse_size()
    raise PydanticCustomError("decimal_parsing", "Input should be a valid decimal")


def _bounded(number: Decimal) -> Decimal:
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise PydanticCustomError("finite_number", "Input should be a finite number")
    if len(digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_EXPONENT:
        return _refuse_size()
    return number


def _refuse_size() -> Decimal:
    raise PydanticCustomError(
        "number_out_of_range",
        "Input should have at most {digits} digits and a magnitude within 1E±{exponent}",
        {"digits": MAX_DIGITS, "exponent": MAX_EXPONENT},
    )


def storable_text(text: str) -> str:
    """Return a text that every database can store; raises ValueError for NUL characters and lone surrogates."""
    if "\x00" in text:
        raise ValueError("text must not contain NUL characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError("text must be valid Unicode") from error
    return text


def visible_name(value: str) -> str:
    """Return an account name that can be stored and shown; raises ValueError."""
    if not value.isprintable() or value != value.strip():
        raise ValueError("must be visible characters without space at either end")
    return value


NUMBER_SCHEMA = {"anyOf": [{"type": "string", "pattern": f"^{NUMBER_TEXT.pattern}$"}, {"type": "number"}]}
Number = Annotated[Decimal, BeforeValidator(parse_number), WithJsonSchema(NUMBER_SCHEMA, mode="validation")]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(storable_text)]
ActorId = Annotated[str, StringConstraints(min_length=1, max_length=ACTOR_MAX), AfterValidator(visible_name)]
