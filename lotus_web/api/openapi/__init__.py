"""The OpenAPI 3.1 document, built from the declarations of the JSON routes (docs/adr/0006)."""

from __future__ import annotations

from flask import Flask

from lotus_web.api.openapi.document import openapi_document
from lotus_web.api.openapi.route import routes

# Where the documentation page finds the document of the running application.
OPENAPI = "lotus_openapi"


def init_app(app: Flask) -> None:
    """Serve the document and make it available to others: ``app.extensions[OPENAPI]() -> dict``."""
    app.register_blueprint(routes)
    app.extensions[OPENAPI] = lambda: openapi_document(app)
