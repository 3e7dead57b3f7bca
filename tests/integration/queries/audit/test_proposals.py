"""What was changed in a version of a proposal past its triggers is found: in its documents, its hashes, and against the log."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.proposals.rules import ProposalRules
from lotus_web.domain.proposals.states import ProposalState
from lotus_web.queries.audit.proposals import newest_faults, verify_proposals
from lotus_web.queries.health.doctor import check_proposals
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import pack, unpack
from tests.support.histories import unguarded
from tests.support.proposals import led_to, proposed, versioned

pytestmark = pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")


@pytest.fixture(autouse=True)
def stored(app: Flask) -> object:
    with app.app_context():
        proposal_id = proposed().proposal_id
        versioned(proposal_id)
        led_to(proposal_id, ProposalState.EXECUTION_READY)
        proposed(rules=ProposalRules(store_evidence=False))
        db.session.rollback()
        yield


def faults() -> list[str]:
    found = [fault.split(": ", 1)[1] for fault in verify_proposals(db.session(), "default")]
    db.session.rollback()
    return found


def tampered(table: str, change: str, **values: object) -> None:
    with unguarded(table) as session:
        session.execute(text(change), values)
    db.session.rollback()


def edited(column: str, before: bytes, after: bytes) -> None:
    """Change the bytes of a document of the newest version that has it."""
    place = "WHERE version_no = 2"
    packed = db.session.scalar(text(f"SELECT {column} FROM proposal_documents {place}"))
    document = unpack(packed)
    assert before in document
    change = f"UPDATE proposal_documents SET {column} = :packed {place}"
    tampered("proposal_documents", change, packed=pack(document.replace(before, after, 1)))


def test_what_was_recorded_is_intact() -> None:
    assert faults() == []
    assert newest_faults(db.session()) == (3, [])


@pytest.mark.parametrize(
    ("column", "before", "after", "wrong"),
    [
        ("result", b'"SECURITY_TRADE"', b'"SECURITY_TRADF"', ["the result", "the artifact"]),
        ("artifact", b'"disclosures"', b'"disclosurez"', ["the artifact"]),
        ("inputs", b'"portfolio_id"', b'"portfolio_ie"', ["the artifact"]),
    ],
)
def test_a_changed_document_does_not_match_its_hash(column: str, before: bytes, after: bytes, wrong: list[str]) -> None:
    edited(column, before, after)
    assert faults() == [f"{what} does not match its hash" for what in wrong]
    (finding,) = check_proposals(db.session(), Settings({}), utcnow())
    assert finding.state.value == "wrong"


def test_a_changed_hash_is_not_the_one_in_the_log() -> None:
    tampered("proposal_versions", "UPDATE proposal_versions SET artifact_hash = 'sha256:0' WHERE version_no = 2")
    assert faults() == ["its artifact hash is not the one in the log", "the artifact does not match its hash"]


def test_documents_that_are_missing_or_no_documents_are_found() -> None:
    tampered("proposal_documents", "UPDATE proposal_documents SET result = :junk WHERE version_no = 2", junk=b"junk")
    assert faults() == ["its documents cannot be read"]
    with transaction() as session:
        session.execute(text("DELETE FROM proposal_documents WHERE version_no = 2"))
    assert faults() == ["its documents are missing"]


def test_an_approval_without_its_event_is_found(app: Flask) -> None:
    tampered("proposal_events", "DELETE FROM proposal_events WHERE event_type = 'RISK_APPROVED'")
    assert faults() == ["the event that it caused is missing"]
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert "the event that it caused is missing" in done.output
