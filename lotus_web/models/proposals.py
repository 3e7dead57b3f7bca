"""Proposals: the stored simulation of each key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base, UtcDateTime


class ProposalSimulation(Base):
    """One simulation for each (tenant, key): the first answer, which every repetition gets (proposals-api §5.7).

    ``artifact`` is the whole artifact, compressed; the result that it was made from is part of it.
    """

    __tablename__ = "proposal_simulations"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    correlation_id: Mapped[str]
    proposal_run_id: Mapped[str]
    submitted_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    artifact: Mapped[bytes] = mapped_column(LargeBinary)
