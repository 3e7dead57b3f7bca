"""The catalogue of reasons: what a deployment may say, and when a code needs a comment."""

from __future__ import annotations

import pytest

from lotus_web.domain.decisions.reason_codes import (
    REASON_CODES,
    ReasonCode,
    check_comment_of,
    check_offered_reason,
    parse_catalogue,
    reason_text,
)
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.actions import Action

OWN = '{"reject": [{"code": "NOT_NOW", "text": "Not now", "needs_comment": true}]}'


def test_a_deployment_replaces_the_reasons_of_an_action_and_keeps_the_others() -> None:
    codes = parse_catalogue(OWN)
    assert codes[Action.REJECT] == (ReasonCode("NOT_NOW", "Not now", needs_comment=True),)
    assert codes[Action.APPROVE] == REASON_CODES[Action.APPROVE]
    assert reason_text(Action.REJECT, "NOT_NOW", codes) == "Not now"


@pytest.mark.parametrize(
    "raw",
    [
        "no json",
        "[]",
        '{"bless": []}',
        '{"approve": []}',
        '{"claim": [{"code": "A", "text": "a"}]}',
        '{"approve": [{"code": "lower", "text": "a"}]}',
        '{"approve": [{"code": "A"}]}',
        '{"approve": [{"code": "A", "text": " "}]}',
        '{"approve": [{"code": "A", "text": "a", "needs_comment": "yes"}]}',
        '{"approve": [{"code": "A", "text": "a", "colour": "red"}]}',
        '{"approve": [{"code": "A", "text": "a"}, {"code": "A", "text": "b"}]}',
        '{"approve": ["A"]}',
    ],
)
def test_a_catalogue_that_cannot_be_is_refused(raw: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_catalogue(raw)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("SLA_BREACHED", "The due time passed"),
        ("UNSPECIFIED", "No reason code was given"),
        ("OF_A_CLIENT", "Of a client"),
    ],
)
def test_a_code_that_nobody_chose_reads_as_plain_words(code: str, text: str) -> None:
    assert reason_text(Action.ESCALATE, code) == text


def test_a_code_can_ask_for_a_comment() -> None:
    codes = parse_catalogue(OWN)
    with pytest.raises(InvalidInput, match="Add a comment"):
        check_comment_of(Action.REJECT, "NOT_NOW", " ", codes)
    check_comment_of(Action.REJECT, "NOT_NOW", "until Monday", codes)
    check_comment_of(Action.REJECT, "UNKNOWN", "", codes)


def test_a_form_takes_the_offered_codes_only() -> None:
    codes = parse_catalogue(OWN)
    with pytest.raises(InvalidInput, match="listed"):
        check_offered_reason(Action.REJECT, "LIMIT_BREACH", "x", codes)
    with pytest.raises(InvalidInput, match="Choose a reason"):
        check_offered_reason(Action.REJECT, "", "x", codes)
    check_offered_reason(Action.REJECT, "NOT_NOW", "x", codes)
    check_offered_reason(Action.CLAIM, "", "", codes)
