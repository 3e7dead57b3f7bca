"""The session cookie is set by answers to this site's own pages alone.

A browser leaves the cookie (SameSite=Lax) out of a form that another site posts here, but takes the one in the answer: it would
replace a good session by an empty one, and any site could sign people out.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from lotus_web.http.refusal_log import LOOKING
from lotus_web.web.shell.return_path import same_origin


class OwnPagesSession(SecureCookieSessionInterface):
    """Flask's signed cookie, neither set nor deleted by the answer to a form of another site."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Add the cookie to an answer where it changed."""
        if request.method in LOOKING or same_origin():
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Keep the sessions of ``app`` like this."""
    app.session_interface = OwnPagesSession()
