"""Pages hold no character that HTML forbids, whatever an id, a payload or an address does: what nobody could see is left out."""

from __future__ import annotations

import re

from flask import Flask, Response

# Control characters but tab and line ends, and the code points that are no characters; as UTF-8.
FORBIDDEN = re.compile(
    rb"[\x00-\x08\x0b\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xef\xb7[\x90-\xaf]|\xef\xbf[\xbe\xbf]"
    rb"|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]"
)


def leave_out_forbidden(response: Response) -> Response:
    """Return an HTML answer without what a parser would stumble over; every other answer as it is."""
    if response.mimetype == "text/html" and not response.is_streamed:
        text = response.get_data()
        if FORBIDDEN.search(text):
            response.set_data(FORBIDDEN.sub(b"", text))
    return response


def init_app(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(leave_out_forbidden)
