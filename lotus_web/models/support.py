"""How many of each thing a tenant has, stored so that a summary need not count them."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from lotus_web.store.types import Base


class StoreCounter(Base):
    """One number: of things named ``counter`` (domain/support.py), those whose ``value`` is this."""

    __tablename__ = "dpm_counters"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    counter: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
