"""Answers that hold a version, put together from stored JSON without parsing it."""

from __future__ import annotations

import json

from pydantic import BaseModel

from lotus_web.api.rebalance.proposals.schemas import ProposalBody, ProposalEventBody, VersionFacts
from lotus_web.http.responses import utf8_json
from lotus_web.queries.proposals.outcome import VersionOutcome
from lotus_web.queries.proposals.rows import ProposalDetail, StoredVersion


def version_document(version: StoredVersion) -> bytes:
    """Return a version as JSON (proposals-api §2 VersionDetail)."""
    documents = {
        "proposal_result": version.result,
        "artifact": version.artifact,
        "evidence_bundle": version.evidence,
    }
    return _object(documents, utf8_json(VersionFacts.model_validate(version.row)))


def detail_document(detail: ProposalDetail) -> bytes:
    """Return a proposal with its current version as JSON."""
    gate = detail.current_version.row.gate_decision
    return _object(
        {
            "proposal": _json(ProposalBody, detail.proposal),
            "current_version": version_document(detail.current_version),
            "last_gate_decision": json.dumps(gate).encode(),
        }
    )


def made_document(outcome: VersionOutcome) -> bytes:
    """Return what making a proposal or a version answers with."""
    return _object(
        {
            "proposal": _json(ProposalBody, outcome.proposal),
            "version": version_document(outcome.version),
            "latest_workflow_event": _json(ProposalEventBody, outcome.event),
        }
    )


def _json(model: type[BaseModel], row: object) -> bytes:
    return utf8_json(model.model_validate(row))


def _object(members: dict[str, bytes], facts: bytes = b"{}") -> bytes:
    """Return an object of JSON members, and of those that ``facts`` has."""
    known = [facts[1:-1]] if facts != b"{}" else []
    return b"{" + b",".join([*known, *(b'"%s":%s' % (name.encode(), part) for name, part in members.items())]) + b"}"
