"""Answers that a browser keeps as a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

from flask import Response

from lotus_web.http.export_slots import answered_in_turn

UNSAFE_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 96
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "zip": "application/zip", "py": "text/x-python"}


def attachment(content: bytes | Iterable[str], named: str, kind: Literal["json", "csv", "zip", "py"]) -> Response:
    """Return ``content`` as a file of this name and kind; what not every file system takes in a name becomes ``_``."""
    name = f"{UNSAFE_IN_A_NAME.sub('_', named)[:LONGEST_NAME]}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=MEDIA_TYPES[kind], headers=headers)


def file_export(content: Callable[[], bytes], named: str, kind: Literal["json", "zip"]) -> Response:
    """Return ``content`` as a file, made and sent in one of the places of exports; raises TooManyExports if there is none."""
    return answered_in_turn(lambda: attachment(content(), named, kind))
