"""Which handler carries out which type of operation: the one place that knows every feature with operations."""

from __future__ import annotations

from lotus_web.domain.operations import OperationType
from lotus_web.services.analyses import operation as analysis
from lotus_web.services.operations.worker import Handlers
from lotus_web.services.proposals import operation as proposals

HANDLERS: Handlers = {
    OperationType.ANALYZE_SCENARIOS: analysis.carry_out,
    OperationType.CREATE_PROPOSAL: proposals.carry_out_create,
    OperationType.CREATE_PROPOSAL_VERSION: proposals.carry_out_version,
}
