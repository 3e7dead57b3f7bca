"""What people write is taken: what nobody sees is kept as what it stands for, and a refusal names its character and place."""

from __future__ import annotations

import unicodedata

import pytest

from lotus_web.domain.decisions.reason_codes import check_comment_of
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import clean_line, clean_text, turned_text, without_untaken
from lotus_web.domain.inbox import check_view_name
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.transitions import TEXT_MAX, check_free_text
from lotus_web.domain.retention import check_hold_reason

LOC = ("body", "note")


def cleaned(text: str) -> str:
    return clean_text(text, what="The text", loc=LOC)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2\u00a0h late", "2 h late"),
        ("1\u202f000\u2009CHF\u3000", "1 000 CHF"),
        ("Depot\u00adbank", "Depotbank"),
        ("\ufeffpasted\u200b text\u2060", "pasted text"),
        ("first\u2028second\u2029third", "first\nsecond\nthird"),
        ("\u00a0\u200b ", ""),
    ],
)
def test_what_nobody_sees_is_kept_as_what_it_stands_for(typed: str, kept: str) -> None:
    assert cleaned(typed) == kept
    assert cleaned(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d👩\u200d👧 ❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e007f",
        "\u200fשלום\u200e a",
        "zwei\r\nZeilen\tmit Tab",
        "e\u0301 is not é",
    ],
)
def test_what_belongs_to_the_text_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("an override is \u202ehere", "U+202E at character 16"),
        ("\u2066a", "U+2066 at character 1"),
        ("\u00ad\u200b\x07", "U+0007 at character 3"),
        ("a\x00", "U+0000 at character 2"),
        ("a\ud800", "U+D800 at character 2"),
        ("a\ue000", "U+E000 at character 2"),
        ("a\uffff", "U+FFFF at character 2"),
    ],
)
def test_a_refusal_names_the_character_and_its_place(text: str, named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        cleaned(text)
    assert refused.value.message == f"The text contains {named}, which cannot be shown."
    assert refused.value.loc == LOC


def test_only_what_is_no_text_and_what_turns_text_is_refused() -> None:
    turning = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    never_assigned = {*range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF, 0x1FFFE, 0x1FFFF}
    for code in range(0x20000):
        char = chr(code)
        no_text = unicodedata.category(char) in ("Cc", "Cs", "Co") and char not in "\n\r\t"
        refused = no_text or code in turning or code in never_assigned
        assert without_untaken(char) == ("" if refused else char), hex(code)


def test_a_line_has_no_breaks() -> None:
    assert clean_line(" Late\u2028and\u00a0urgent ", what="The name", loc=LOC) == "Late and urgent"
    with pytest.raises(InvalidInput, match=r"The name contains U\+000A at character 2"):
        clean_line("a\nb", what="The name", loc=LOC)


def test_a_form_shows_again_what_was_typed_but_for_what_is_not_taken() -> None:
    assert without_untaken("2\u00a0h \u202ebell\x07 👩\u200d👧\n") == "2\u00a0h bell 👩\u200d👧\n"


def test_turning_characters_are_found_in_the_words_of_other_systems() -> None:
    assert turned_text("\u05d0\u200f b\x07", what="payload.title") is None
    told = "payload.title contains U+202E at character 3, which cannot be shown."
    assert turned_text("ab\u202elive", what="payload.title") == told


def test_every_text_of_people_is_kept_that_way() -> None:
    assert (
        check_free_text("2\u00a0h") == check_view_name("2\u00a0h", ()) == check_hold_reason("2\u00a0h\ufeff") == "2 h"
    )
    assert check_free_text("\u200b" + "x" * TEXT_MAX) == "x" * TEXT_MAX


def test_a_comment_of_nothing_that_anyone_sees_is_no_comment() -> None:
    with pytest.raises(InvalidInput, match="this reason requires one"):
        check_comment_of(Action.APPROVE, "OTHER", "\u200b\u00a0")
