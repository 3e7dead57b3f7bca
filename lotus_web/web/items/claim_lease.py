"""Until when a claim holds, for the pages that show who has an item (workflow.md §2; services/items/claims.py ends it)."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from lotus_web.config import current


def claim_end(claimed_at: datetime) -> datetime:
    """Return when a claim is given back if its holder does nothing more; each of their actions moves it."""
    return claimed_at + timedelta(minutes=current.settings().claim_minutes)


def init_app(app: Flask) -> None:
    """Let templates ask for it."""
    app.add_template_filter(claim_end)
