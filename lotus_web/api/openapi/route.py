"""GET /openapi.json: the description of every JSON route, for programs and for the documentation page."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app
from pydantic import BaseModel, ConfigDict

from lotus_web.api.endpoint.routing import ApiBlueprint, endpoint, json_response
from lotus_web.api.openapi.document import openapi_document

routes = ApiBlueprint("api_openapi", __name__)


class OpenApiDocument(BaseModel):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


@routes.get("/openapi.json")
@endpoint(
    "Describe every JSON route",
    permission=None,
    response=OpenApiDocument,
    example={"openapi": "3.1.0", "info": {"title": "Lotus Web", "version": "1.0.0"}, "paths": {}, "components": {}},
)
def openapi() -> Response:
    """Return the document, the same as the command prints."""
    return json_response(json.dumps(openapi_document(current_app)).encode())
