"""The reference page says everything that the document says, to everyone."""

from __future__ import annotations

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.api.openapi.document import openapi_document
from lotus_web.web.docs.reference import Reader, command, slug
from lotus_web.web.docs.types import bounds, prose, words
from tests.integration.conftest import ClientOf

pytestmark = pytest.mark.stores("sqlite")


def test_everyone_may_read_it(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "API reference" in page.text
    assert "/inbox" not in page.text


def test_someone_signed_in_finds_the_way_back(client_of: ClientOf) -> None:
    assert "Back to Lotus Web" in client_of("vera").get("/docs").text


def test_every_route_and_every_shape_has_its_place(app: Flask, client: FlaskClient) -> None:
    document = openapi_document(app)
    text = client.get("/docs").text
    for path, methods in document["paths"].items():
        assert path.replace("/", "/\u200b") in text
        for operation in methods.values():
            if "x-same-as" not in operation:
                assert f'id="route-{operation["operationId"]}"' in text
                assert all(answer in text for answer in operation["responses"])
    assert all(f'id="shape-{name}"' in text for name in document["components"]["schemas"])


def test_every_code_of_a_refusal_is_said(app: Flask, client: FlaskClient) -> None:
    text = client.get("/docs").text
    assert "IDEMPOTENCY_KEY_CONFLICT" in text
    assert "DPM_WORKFLOW_INVALID_TRANSITION" in text
    assert "version_conflict" in text


def test_every_link_leads_to_something_on_the_page(client: FlaskClient) -> None:
    tree = html5lib.parse(client.get("/docs").text, namespaceHTMLElements=False)
    places = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(places) == len(set(places))
    inner = {link.get("href")[1:] for link in tree.iter("a") if link.get("href", "").startswith("#")}
    assert inner - set(places) == set()


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(client: FlaskClient) -> None:
    answer = client.get("/docs")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    tree = html5lib.parse(answer.text, namespaceHTMLElements=False)
    sources = [
        element.get("src") or element.get("href") for element in tree.iter() if element.tag in ("script", "link", "img")
    ]
    assert all(source and source.startswith("/static/") for source in sources)
    assert not [element for element in tree.iter() if element.get("style") or element.tag == "style"]


def test_the_document_does_not_break_out_of_the_page() -> None:
    assert prose("`<b>` & <script>") == "<code>&lt;b&gt;</code> &amp; &lt;script&gt;"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date-time"}, "instant"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Money"}}, "list of Money"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "whole number or null"),
        ({"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]}, "A or B"),
        ({"enum": ["BUY", "SELL"]}, "“BUY” or “SELL”"),
        ({"const": "OK", "type": "string"}, "“OK”"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map of text to number"),
        ({"type": "object", "additionalProperties": True}, "object"),
        ({"type": "object", "properties": {"data": {"type": "boolean"}}}, "{ data: true or false }"),
        ({}, "any value"),
    ],
)
def test_a_type_is_said_in_words(schema: dict[str, object], said: str) -> None:
    assert "".join(word.text for word in words(schema)) == said


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 1000}, "1 to 1,000 characters"),
        ({"type": "string", "maxLength": 5}, "at most 5 characters"),
        ({"type": "array", "minItems": 1}, "at least 1 entries"),
        ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "1 to 200; 50 if left out"),
        ({"type": "integer", "minimum": 0}, "at least 0"),
        ({"type": "integer", "maximum": 9}, "at most 9"),
        ({"type": "boolean", "default": False}, "false if left out"),
        ({"type": "array", "default": []}, ""),
    ],
)
def test_what_bounds_a_value_is_said(schema: dict[str, object], said: str) -> None:
    assert bounds(schema) == said


def test_a_call_can_be_typed_into_a_shell() -> None:
    parameters = [
        {"name": "workflow_id", "in": "path", "required": True, "example": "c:exception:r 1"},
        {"name": "Idempotency-Key", "in": "header", "required": True, "example": "it's"},
    ]
    operation = {"security": [{"bearer": []}], "requestBody": {}}
    assert command("POST", "/items/{workflow_id}", operation, parameters) == (
        'curl -X POST "$LOTUS/items/c%3Aexception%3Ar%201" \\\n'
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        "  -H 'Idempotency-Key: it'\"'\"'s' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -d @body.json"
    )


def test_an_example_is_shown_once(app: Flask) -> None:
    reference = Reader(openapi_document(app)).read()
    routes = {route.id: route for chapter in reference.chapters for route in chapter.routes}
    first, second = (routes[name].answers[0].examples[0] for name in ("get_run", "get_run_by_correlation"))
    assert first.shown_at is None
    assert second.shown_at == "get_run"
    assert slug("Review gate") == "review-gate"
