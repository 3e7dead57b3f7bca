"""What is wrong with a proposal that someone typed or pasted, in plain words and at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lotus_web.web.proposals.document import WHOLE
from lotus_web.web.proposals.typed import MONEY, Typed
from lotus_web.wire.json_text import UnreadableJson
from lotus_web.wire.proposals.request import INVALID_TRADE

A_NUMBER = "Enter a number such as 1500.25, without commas."
# By the kind of fault; any other is said in the words of the check itself.
SENTENCES = {
    "missing": "This is missing.",
    "decimal_parsing": A_NUMBER,
    "decimal_type": A_NUMBER,
    "finite_number": A_NUMBER,
    "enum": "Choose one of the options.",
    "literal_error": "Choose one of the options.",
    "extra_forbidden": "There is no such field.",
}
TOO_LONG = "string_too_long"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the id of its field, None for the whole form, and a sentence."""

    field: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Problems:
    """All faults of a form."""

    rows: tuple[Problem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows)

    def at(self, field: str) -> str | None:
        """Return the first fault of a field."""
        return next((row.sentence for row in self.rows if row.field == field), None)

    def with_others(self, others: Problems) -> Problems:
        """Return these faults and those of ``others`` at other fields."""
        return Problems((*self.rows, *(row for row in others.rows if row.field is None or self.at(row.field) is None)))

    def pairs(self) -> list[tuple[str | None, str]]:
        """Return fields and sentences for the summary."""
        return [(row.field, row.sentence) for row in self.rows]


def blanks(typed: Typed) -> Problems:
    """Return the fields of started rows that are empty, and that there is no row where there is none."""
    found = []
    for place, row in typed.sent_trades():
        if not row.instrument_id:
            found.append(Problem(f"trade-{place}-instrument_id", f"Enter the instrument of trade {place + 1}."))
        if not row.size:
            found.append(Problem(f"trade-{place}-size", f"Enter the size of trade {place + 1}."))
    found += [
        Problem(f"flow-{place}-amount", f"Enter the amount of cash flow {place + 1}.")
        for place, row in typed.sent_flows()
        if not row.amount
    ]
    if not typed.sent_trades() and not typed.sent_flows():
        found.append(Problem("trade-0-instrument_id", "Enter a trade or a cash flow."))
    return Problems(tuple(found))


def of_form(wrong: ValidationError, typed: Typed) -> Problems:
    """Return the faults of a request at the fields that it was typed into."""
    return Problems(tuple(_in_form(error, typed) for error in _shown(wrong)))


def _in_form(error: Mapping[str, Any], typed: Typed) -> Problem:
    loc = [part for part in error["loc"] if part not in (WHOLE, "metadata")]
    sentence = _sentence(error)
    match loc:
        case ["proposed_trades", int(number), *rest]:
            place, row = typed.sent_trades()[number]
            at = str(rest[0]) if rest else "quantity"
            name = "size" if at in ("quantity", "notional") else at
            if name == "size" and rest[-1:] == ["currency"] and row.size_in == MONEY:
                name = "instrument_id"
            return Problem(f"trade-{place}-{name}", f"Trade {place + 1}: {sentence}")
        case ["proposed_cash_flows", int(number), *rest]:
            place, _ = typed.sent_flows()[number]
            return Problem(f"flow-{place}-{rest[0] if rest else 'amount'}", f"Cash flow {place + 1}: {sentence}")
        case [str(name)] if name in typed.texts:
            return Problem(name, sentence)
    return Problem(None, f"{place_of(loc)}: {sentence}")


def of_json(wrong: ValidationError | UnreadableJson, raw: str, *, field: str) -> Problems:
    """Return the faults of a pasted document, each with the path to its place; all belong to one field."""
    if isinstance(wrong, UnreadableJson):
        return Problems((Problem(field, _unreadable(wrong, raw)),))
    # A document that is the heart of a request alone has no such member around it.
    around = () if WHOLE in raw else (WHOLE,)
    places = (place_of(part for part in error["loc"] if part not in around) for error in _shown(wrong))
    return Problems(
        tuple(Problem(field, f"{place}: {error['msg']}") for place, error in zip(places, _shown(wrong), strict=True))
    )


def _unreadable(wrong: UnreadableJson, raw: str) -> str:
    if wrong.kind == "missing":
        return "Paste a document or choose a file."
    reason = str((wrong.ctx or {}).get("error", wrong.sentence)).rstrip(".")
    if wrong.kind != "json_invalid":
        return f"{place_of(wrong.loc)}: {reason}." if wrong.loc else f"{reason}."
    place = wrong.loc[0] if wrong.loc and isinstance(wrong.loc[0], int) else 0
    line, column = raw.count("\n", 0, place) + 1, place - raw.rfind("\n", 0, place)
    return f"This is not JSON: {reason} (line {line}, column {column})."


def place_of(loc: Iterable[str | int]) -> str:
    """Return a path into a document as it is written: ``proposed_trades[2].quantity``."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "The document"


def _shown(wrong: ValidationError) -> Sequence[Mapping[str, Any]]:
    return wrong.errors(include_url=False)[:MOST_SHOWN]


def _sentence(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == TOO_LONG:
        return f"Use at most {error['ctx']['max_length']} characters."
    if kind in SENTENCES:
        return SENTENCES[kind]
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix(f"{INVALID_TRADE}: ")
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
