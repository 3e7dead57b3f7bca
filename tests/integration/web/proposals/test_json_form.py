"""A proposal as JSON, pasted or uploaded: the refusals of the JSON routes, each at its place, with the text kept."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.integration.conftest import ClientOf
from tests.integration.web.proposals.test_pages import mine, words_of
from tests.support import proposals
from tests.support.people import csrf_token, post

pytestmark = pytest.mark.stores("sqlite")
PATH = "/proposals/new/json"


def with_trade(**trade: Any) -> dict[str, Any]:
    document = mine()
    document["simulate_request"]["proposed_trades"] = [{"side": "BUY", "instrument_id": "EQ_GROWTH", **trade}]
    return document


@pytest.mark.parametrize("around", [True, False])
def test_a_document_or_its_heart_makes_a_proposal(app: Flask, client_of: ClientOf, around: bool) -> None:
    leo, document = client_of("leo"), mine()
    text = json.dumps(document if around else document["simulate_request"])
    simulated = post(leo, PATH, {"document": text, "do": "simulate", "key": "k"})
    assert "EQ_GROWTH" in words_of(simulated.text, "orders")
    made = post(leo, PATH, {"document": text, "do": "create", "key": "k"})
    again = post(leo, PATH, {"document": text, "do": "create", "key": "k"})
    assert (made.status_code, made.headers["Location"]) == (303, again.headers["Location"])


def test_a_file_takes_the_place_of_the_text(client_of: ClientOf) -> None:
    leo = client_of("leo")
    for content, status in ((json.dumps(mine()).encode(), 303), (b"\xef\xbb\xbf" + json.dumps(mine()).encode(), 303)):
        upload = (io.BytesIO(content), "proposal.json")
        answer = post(leo, PATH, {"document": "x", "do": "create", "key": "k", "upload": upload})  # type: ignore[dict-item]
        assert answer.status_code == status
    wrong = post(leo, PATH, {"do": "create", "key": "k", "upload": (io.BytesIO(b'{"a": \xff}'), "a.json")})  # type: ignore[dict-item]
    assert wrong.status_code == 422
    assert "{&#34;a&#34;: " in wrong.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Paste a document or choose a file."),
        ('{"a": [1,\n 2,, 3]}', "This is not JSON: Expecting value (line 2, column 4)."),
        ("[1]", "The document must be an object in braces."),
        ("nothing", "This is not JSON: Expecting value (line 1, column 1)."),
        ("[" * 40 + "]" * 40, "JSON is nested more than 32 levels deep."),
        ('{"a": NaN}', "Expecting UTF-8 text with finite numbers"),
        ('{"a": 1e999999}', "Expecting numbers within 1E"),
        ('{"a": "\\u0000"}', "a: Text must not hold NUL characters"),
        ("{}", "portfolio_snapshot: Field required"),
        (json.dumps(with_trade(side="HOLD")), "simulate_request.proposed_trades[0].side: Input should be"),
        (json.dumps(with_trade(quantity=1.5)), "simulate_request.proposed_trades[0].quantity: Send this amount as"),
        (json.dumps(with_trade()), "PROPOSAL_INVALID_TRADE_INPUT"),
        (json.dumps({**mine(), "metadata": None}), "metadata: Input should be"),
        (json.dumps({**mine(), "created_by": "someone.else"}), "created_by: A proposal is made in the name of"),
    ],
)
def test_a_refusal_names_the_place_and_keeps_the_text(
    client_of: ClientOf, content: Callable[[], str], text: str, told: str
) -> None:
    leo = client_of("leo")
    before = content()
    answer = post(leo, PATH, {"document": text, "do": "create", "key": "k"})
    assert answer.status_code in (403, 422)
    assert told in words_of(answer.text, "proposal-json")
    assert words_of(answer.text, "document") == " ".join(text.split())
    assert content() == before


def test_a_document_that_does_not_ask_for_a_simulation_is_refused(client_of: ClientOf) -> None:
    document = mine()
    document["simulate_request"]["options"]["enable_proposal_simulation"] = False
    answer = post(client_of("leo"), PATH, {"document": json.dumps(document), "do": "create", "key": "k"})
    assert answer.status_code == 422
    assert "The options must switch enable_proposal_simulation on." in answer.text


def test_a_key_that_was_used_gets_another(client_of: ClientOf) -> None:
    leo = client_of("leo")
    post(leo, PATH, {"document": json.dumps(mine()), "do": "create", "key": "k"})
    text = json.dumps(with_trade(quantity="1"))
    answer = post(leo, PATH, {"document": text, "do": "create", "key": "k"})
    assert answer.status_code == 409
    assert "Open the proposal that was made with it" in answer.text
    assert 'name="key" value="form_' in answer.text


def test_too_large_a_document_is_refused(client_of: ClientOf) -> None:
    leo = client_of("leo")
    body = f"csrf_token={csrf_token(leo)}&do=create&key=k&document=" + "1" * 1024 * 1024
    answer = leo.post(PATH, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "at most 1 MiB" in answer.text


def test_a_version_as_a_document(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        proposal_id = proposals.proposed().proposal_id
    leo, path = client_of("leo"), f"/proposals/{proposal_id}/versions/new/json"
    assert leo.get(path).status_code == 200
    other = mine()["simulate_request"]
    other["portfolio_snapshot"]["portfolio_id"] = "another"
    refused = post(leo, path, {"document": json.dumps(other), "do": "create", "key": "k"})
    assert refused.status_code == 422
    assert "The proposal is of the portfolio" in refused.text
    made = post(leo, path, {"document": json.dumps(mine()["simulate_request"]), "do": "create", "key": "k"})
    assert made.headers["Location"] == f"/proposals/{proposal_id}"
    assert "2 of 2" in leo.get(f"/proposals/{proposal_id}").text


@pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY")
def test_a_document_is_accepted_as_an_operation_whose_page_shows_it(app: Flask, client_of: ClientOf) -> None:
    leo = client_of("leo")
    accepted = post(leo, PATH, {"document": json.dumps(mine()), "do": "submit", "key": "k"})
    assert accepted.status_code == 303
    page = leo.get(accepted.headers["Location"])
    assert "Create proposal" in page.text
    assert "Waiting for a worker." in page.text
    assert "data-live" in page.text


@pytest.mark.environ(PROPOSAL_ASYNC_OPERATIONS_ENABLED="false")
def test_with_operations_off_none_is_offered(client_of: ClientOf) -> None:
    leo = client_of("leo")
    assert "Create as an operation" not in leo.get(PATH).text
    assert post(leo, PATH, {"document": json.dumps(mine()), "do": "submit", "key": "k"}).status_code == 404
