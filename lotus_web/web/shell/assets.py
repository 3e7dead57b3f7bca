"""Static files whose address carries a hash of their content, so that browsers may keep them for a year."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

HASH_DIGITS = 12
FOR_A_YEAR = "public, max-age=31536000, immutable"
# The folders below carry the version in their name, and style sheets point into them without a hash.
VERSIONED = "vendor/"


@functools.lru_cache(maxsize=512)
def _hash(path: Path, changed_ns: int) -> str:
    """Return the hash of a file; ``changed_ns`` makes an edited file a new question."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS]


def content_hash(filename: str) -> str:
    """Return the hash of a static file as it is now; raises FileNotFoundError."""
    path = Path(str(current_app.static_folder)) / filename
    return _hash(path, path.stat().st_mtime_ns)


def asset(filename: str) -> str:
    """Return the address of a static file with its hash; raises FileNotFoundError, so that a page with a dead link fails."""
    return url_for("static", filename=filename, v=content_hash(filename))


def keep(response: Response) -> Response:
    """Let browsers keep a static file whose address names this very content; any other is asked for again each time."""
    if request.endpoint != "static" or response.status_code not in {200, 304}:
        return response
    filename = (request.view_args or {})["filename"]
    if filename.startswith(VERSIONED) or request.args.get("v") == content_hash(filename):
        response.headers["Cache-Control"] = FOR_A_YEAR
    return response


def init_app(app: Flask) -> None:
    """Let templates name static files by ``asset()`` and send them with the right lifetime."""
    app.jinja_env.globals["asset"] = asset
    app.after_request(keep)
