"""What the route of lineage takes and gives (RFC-0023, dpm-api §9.1)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from lotus_web.api.endpoint.params import Answer, FilterText, ListParams, Stamp
from lotus_web.queries.lineage import DEEPEST


class LineageParams(ListParams):
    """Filters of edges; ``edge_type`` ignores case and an unknown one matches nothing."""

    edge_type: FilterText | None = None
    depth: Annotated[
        int, Field(ge=1, le=DEEPEST, description="how many steps to walk; the filters choose what is shown of the walk")
    ] = 1


class EdgeBody(Answer):
    """One edge, read as *source* type *target*."""

    source_entity_id: str
    source_kind: str
    edge_type: str
    target_entity_id: str
    target_kind: str
    created_at: Stamp
    metadata: dict[str, Any]


class LineageBody(Answer):
    """The edges of an id, oldest first; with a depth above 1 also ``depth`` and ``truncated`` (see LineageWalkBody)."""

    entity_id: str
    edges: list[EdgeBody]
    next_cursor: str | None


class LineageWalkBody(LineageBody):
    """The edges within ``depth`` steps of an id; ``truncated`` is true where there are more than one response may hold."""

    depth: int
    truncated: bool
