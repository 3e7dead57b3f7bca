"""What the routes of traces and events give, and what an item says of its trace."""

from __future__ import annotations

from typing import Any

from lotus_web.api.endpoint.params import Answer, Stamp
from lotus_web.domain.events.envelope import Poster


class PosterAnswer(Answer):
    """The account that fed an event, and the token it came with."""

    account: str
    token_id: str | None

    @classmethod
    def of(cls, poster: Poster | None) -> PosterAnswer | None:
        """Return a poster as it is sent; null for events of Lotus Web itself."""
        return None if poster is None else cls.model_validate(poster)


class TraceReferenceAnswer(Answer):
    """Where an item comes from."""

    trace_id: str
    title: str
    workflow: str
    primary_entity: dict[str, Any]
    outcome: str
    event_count: int
    started_at: Stamp
    href: str
