"""Views of the inbox that people have saved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime


class SavedView(Base):
    """One person's name for a filter in one tenant; ``query`` is that filter as the inbox writes it, never a whole address."""

    __tablename__ = "saved_views"

    view_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    person: Mapped[str] = mapped_column(ForeignKey("people.name"))
    name: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    # A person's views are few, and read through this constraint's index.
    __table_args__ = (UniqueConstraint("tenant_id", "person", "name"),)
