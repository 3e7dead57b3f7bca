"""Lineage edges: what is connected with what, indexed from both ends (RFC-0023, delta 17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, Json, UtcDateTime


class LineageEdge(Base):
    """One directed edge between two ids, each with its kind."""

    __tablename__ = "dpm_lineage_edges"

    edge_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[str]
    source_entity_id: Mapped[str]
    source_kind: Mapped[str]
    edge_type: Mapped[str]
    target_entity_id: Mapped[str]
    target_kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", Json)

    __table_args__ = (
        Index("ix_dpm_lineage_edges_source", "tenant_id", "source_entity_id", "created_at", "edge_id"),
        Index("ix_dpm_lineage_edges_target", "tenant_id", "target_entity_id", "created_at", "edge_id"),
        {"sqlite_autoincrement": True},
    )
