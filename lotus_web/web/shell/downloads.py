"""Answers that a browser keeps as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from flask import Response

UNSAFE_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 96
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "zip": "application/zip", "py": "text/x-python"}


def attachment(content: bytes | Iterable[str], named: str, kind: Literal["json", "csv", "zip", "py"]) -> Response:
    """Return ``content`` as a file of this name and kind; what not every file system takes in a name becomes ``_``."""
    name = f"{UNSAFE_IN_A_NAME.sub('_', named)[:LONGEST_NAME]}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=MEDIA_TYPES[kind], headers=headers)
