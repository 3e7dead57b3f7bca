"""One engine result for each distinct request, as texts in which only the ids and the time are still to be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lotus_web.demo.portfolios import DemoRun, demo_variant
from lotus_web.domain.access import Actor
from lotus_web.domain.canonical import text_hash
from lotus_web.domain.identifiers import artifact_id
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.runs.artifact import artifact_document, hashed_text
from lotus_web.models import Run
from lotus_web.services.runs.solver import solve
from lotus_web.wire.packed import pack
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash, stored_request
from lotus_web.wire.rebalance.result import RESULT

RUN, CORRELATION, KEY = "rr_@run@", "@correlation@", "@key@"
RECORDED_AT = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunTemplate:
    """The result of a request and the text its artifact hash is taken over, with places for ids and time."""

    request: bytes
    request_hash: str
    portfolio_id: str
    result: Mapping[str, Any]
    result_text: str
    artifact_text: str

    def run(self, demo: DemoRun, *, run_id: str, actor: Actor, now: datetime) -> tuple[Run, bytes]:
        """Return the run's row and its result as JSON bytes."""
        ids = {RUN: run_id, artifact_id(RUN): artifact_id(run_id)}
        fill = ids | {CORRELATION: demo.correlation_id, KEY: demo.idempotency_key}
        stamp = {RECORDED_AT.isoformat(timespec="microseconds"): now.isoformat(timespec="microseconds")}
        row = Run(
            tenant_id=actor.tenant_id,
            rebalance_run_id=run_id,
            correlation_id=demo.correlation_id,
            request_hash=self.request_hash,
            idempotency_key=demo.idempotency_key,
            portfolio_id=self.portfolio_id,
            status=self.result["status"],
            created_at=now,
            engine_version=self.result["lineage"]["engine_version"],
            artifact_hash=text_hash(_filled(self.artifact_text, fill | stamp)),
            submitted_by=actor.decider_id,
            legal_hold=False,
        )
        return row, _filled(self.result_text, fill).encode()


def _filled(template: str, values: Mapping[str, str]) -> str:
    for place, value in values.items():
        template = template.replace(place, value)
    return template


def template_for(seed: int, run: DemoRun) -> RunTemplate:
    """Return the template of a run's variant; the engine runs once for each."""
    return _template(seed, run.variant)


@lru_cache(maxsize=4096)
def _template(seed: int, variant: int) -> RunTemplate:
    body = RebalanceRequestBody.model_validate(demo_variant(seed=seed, variant=variant).request)
    digest = request_hash(body)
    portfolio_id = body.portfolio_snapshot.portfolio_id
    computed = rebalance(
        body.to_domain(),
        run_id=RUN,
        correlation_id=CORRELATION,
        request_hash=digest,
        idempotency_key=KEY,
        solve=solve,
    )
    result = RESULT.document(computed)
    artifact = artifact_document(
        result, request_hash=digest, idempotency_key=KEY, portfolio_id=portfolio_id, created_at=RECORDED_AT
    )
    return RunTemplate(
        request=pack(stored_request(body)),
        request_hash=digest,
        portfolio_id=portfolio_id,
        result=result,
        result_text=RESULT.json(computed).decode(),
        artifact_text=hashed_text(artifact),
    )
