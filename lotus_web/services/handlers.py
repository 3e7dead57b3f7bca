"""Which handler carries out which type of operation: the one place that knows every feature with operations."""

from __future__ import annotations

from lotus_web.domain.operations import OperationType
from lotus_web.services.analyses import operation as analysis
from lotus_web.services.operations.worker import Handlers

HANDLERS: Handlers = {
    OperationType.ANALYZE_SCENARIOS: analysis.carry_out,
}
