"""Reading proposals: what was answered is what is found again (proposals-api §1 routes 3, 4, 8–11)."""

from __future__ import annotations

import pytest

from lotus_web.api.rebalance.proposals.schemas import (
    ProposalApprovalsBody,
    ProposalDetailBody,
    ProposalEventsBody,
    ProposalKeyBody,
    ProposalLineageBody,
    ProposalVersionDetail,
    VersionList,
)
from tests.contract.callers import Caller, segment
from tests.contract.proposals.evidence import found_in, leaves, secretive, without_evidence
from tests.contract.proposals.requests import PROPOSALS, add_version, create, created, path_of, refusal, step


def test_a_proposal_is_found_again_with_what_was_answered(adviser: Caller) -> None:
    made = create(adviser).json
    answer = adviser.get(path_of(made["proposal"]["proposal_id"]))
    detail = ProposalDetailBody.model_validate_json(answer.data)
    assert answer.json["proposal"] == made["proposal"]
    assert answer.json["current_version"] == made["version"]
    assert answer.json["last_gate_decision"] == made["version"]["gate_decision"]
    assert detail.proposal.current_state == "DRAFT"


def test_a_version_stays_what_it_was(adviser: Caller) -> None:
    made = create(adviser).json
    proposal_id = made["proposal"]["proposal_id"]
    second = add_version(adviser, proposal_id).json
    assert second["version"]["version_no"] == 2
    for version in (made["version"], second["version"]):
        answer = adviser.get(path_of(proposal_id, "versions", str(version["version_no"])))
        assert ProposalVersionDetail.model_validate_json(answer.data).version_no == version["version_no"]
        assert answer.json == version
    assert adviser.get(path_of(proposal_id)).json["current_version"] == second["version"]


def test_lineage_names_every_version_by_its_hashes(adviser: Caller) -> None:
    made = create(adviser).json
    proposal_id = made["proposal"]["proposal_id"]
    versions = [made["version"], add_version(adviser, proposal_id).json["version"]]
    answer = adviser.get(path_of(proposal_id, "lineage"))
    told = ProposalLineageBody.model_validate_json(answer.data)
    assert told.proposal.current_version_no == 2
    names = ("proposal_version_id", "version_no", "created_at", "status_at_creation")
    hashes = ("request_hash", "simulation_hash", "artifact_hash")
    assert answer.json["versions"] == [{name: row[name] for name in (*names, *hashes)} for row in versions]


def test_a_key_leads_to_its_proposal(adviser: Caller) -> None:
    made = create(adviser, key="a/b: ü").json
    add_version(adviser, made["proposal"]["proposal_id"], key="of a version")
    answer = adviser.get(f"{PROPOSALS}/idempotency/{segment('a/b: ü')}")
    told = ProposalKeyBody.model_validate_json(answer.data)
    assert (told.proposal_id, told.proposal_version_no) == (made["proposal"]["proposal_id"], 1)
    assert (told.idempotency_key, told.request_hash) == ("a/b: ü", made["version"]["request_hash"])
    for unknown in ("of a version", "nobody's"):
        found = adviser.get(f"{PROPOSALS}/idempotency/{segment(unknown)}")
        assert refusal(found) == (404, "PROPOSAL_IDEMPOTENCY_KEY_NOT_FOUND")


@pytest.mark.stores("sqlite")
def test_a_key_that_looks_like_a_route_leads_to_its_proposal(adviser: Caller) -> None:
    for name in ("workflow-events", "lineage", "approvals", "versions", "config"):
        proposal_id = created(adviser, key=name)
        assert adviser.get(f"{PROPOSALS}/idempotency/{name}").json["proposal_id"] == proposal_id


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(
    "name", ["async", "simulate", "artifact", "operations", "idempotency", "supportability", "a/b", "..", "ü", "%2F"]
)
def test_an_id_that_looks_like_a_route_is_looked_up(adviser: Caller, name: str) -> None:
    path = path_of(name)
    assert refusal(adviser.get(path)) == (404, "PROPOSAL_NOT_FOUND")
    for part in ("workflow-events", "approvals", "lineage", "versions"):
        if name not in ("idempotency", "operations"):  # there it is the key, or the operation, of that name
            assert refusal(adviser.get(f"{path}/{part}")) == (404, "PROPOSAL_NOT_FOUND")
    if name != "idempotency":
        assert refusal(adviser.get(f"{path}/versions/1")) == (404, "PROPOSAL_VERSION_NOT_FOUND")
    assert refusal(step(adviser, name, "CANCELLED", "DRAFT")) == (404, "PROPOSAL_NOT_FOUND")
    assert refusal(add_version(adviser, name)) == (404, "PROPOSAL_NOT_FOUND")


def test_a_version_is_named_by_a_number_from_1(adviser: Caller) -> None:
    proposal_id = created(adviser)
    for number in ("0", "-1", "x", "1.5"):
        answer = adviser.get(path_of(proposal_id, "versions", number))
        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["path", "version_no"])
    for number in ("2", "2147483648", "9" * 40):
        answer = adviser.get(path_of(proposal_id, "versions", number))
        assert refusal(answer) == (404, "PROPOSAL_VERSION_NOT_FOUND")


WORDS = {"false": False, "0": False, "NO": False, "off": False, "f": False, "t": True, "Yes": True, "1": True}


def test_delta_32_no_text_and_no_number_of_hidden_evidence_is_anywhere(adviser: Caller) -> None:
    body, planted = secretive(adviser.account)
    proposal_id = created(adviser, body)
    for path, member in ((path_of(proposal_id), "current_version"), (path_of(proposal_id, "versions", "1"), None)):
        shown = adviser.get(path)
        version = shown.json[member] if member else shown.json
        assert version["artifact"]["evidence_bundle"] == version["evidence_bundle"]
        kept = without_evidence(version)
        expected = shown.json | {member: kept} if member else kept
        secrets = planted | (set(leaves(version["evidence_bundle"])) - set(leaves(expected)))
        assert found_in(shown.text, secrets) == sorted(secrets)
        for word, is_shown in WORDS.items():
            answer = adviser.get(path, include_evidence=word)
            assert answer.json == (shown.json if is_shown else expected), word
            assert is_shown or found_in(answer.text, secrets) == []
        ProposalVersionDetail.model_validate(kept)


@pytest.mark.stores("sqlite")
def test_a_switch_that_is_neither_on_nor_off_is_refused(adviser: Caller) -> None:
    path = path_of(created(adviser))
    for word in ("", "maybe", "2", "null"):
        answer = adviser.get(path, include_evidence=word)
        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["query", "include_evidence"]), word


def test_lists_of_a_proposal_have_the_documented_fields(adviser: Caller) -> None:
    proposal_id = created(adviser)
    ProposalEventsBody.model_validate(adviser.get(path_of(proposal_id, "workflow-events")).json, extra="forbid")
    ProposalApprovalsBody.model_validate(adviser.get(path_of(proposal_id, "approvals")).json, extra="forbid")
    VersionList.model_validate(adviser.get(path_of(proposal_id, "versions")).json, extra="forbid")
    assert adviser.get(path_of(proposal_id, "approvals")).json == {"proposal_id": proposal_id, "approvals": []}
