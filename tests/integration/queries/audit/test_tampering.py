"""Whatever the owner of the database does to a row that somebody may rely on is found, by ``audit verify`` with the checkpoints.

The attempts follow from the tables: a new table, or column, is tried without anybody thinking of it, and a table that nobody
needs to prove is named here with the reason, as is what is not found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lotus_web.cli.audit_parts import contradictions
from lotus_web.config import current
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import GENESIS, EventType, link_hash
from lotus_web.domain.items.actions import Action
from lotus_web.domain.policy_packs import PolicyPack
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent
from lotus_web.domain.surface import Surface
from lotus_web.models import EventLogEntry, Passkey
from lotus_web.queries.audit import chain, projections
from lotus_web.queries.audit.chain import chained_tenants, entries, entry_content, verify_chain
from lotus_web.queries.transparency.verify import verify_tree
from lotus_web.services.accounts.tokens import create_token
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events import rebuild
from lotus_web.services.policy_packs import put_pack
from lotus_web.services.retention.legal_hold import set_legal_hold
from lotus_web.services.retention.purge import purge_batch
from lotus_web.services.retention.targets import RUNS, Target
from lotus_web.services.sign_in.passkeys import remove_passkeys
from lotus_web.services.sign_in.recovery import new_codes, use_code
from lotus_web.services.sign_in.sessions import open_session
from lotus_web.store.session import db, transaction
from lotus_web.store.types import Base
from tests.conftest import MakeApp
from tests.support import people, proposals
from tests.support.attacker import Attempt, attempted, attempts, owner
from tests.support.histories import (
    ADA,
    FEED,
    MARA,
    NORA,
    NOW,
    POLICY,
    STARTED,
    TOMAS,
    act,
    append,
    decide,
    event,
    record,
    requested,
    workflow_id,
)
from tests.support.logs import log_settings, sign

KEPT = replace(POLICY, persist_artifacts=True)
# Tables that prove nothing, and why nobody relies on them; the tiles and notes of the tree are tried in
# tests/integration/queries/transparency/test_verify.py.
NOT_TRIED = {
    "dg_log_tiles": "queries/transparency/test_verify.py",
    "dg_log_checkpoints": "queries/transparency/test_verify.py",
    "dg_log_keys": "queries/transparency/test_verify.py",
    "dg_log_cosignatures": "the witness keeps its own",
    "dg_workflow_notifications": "what people are told of; what happened is in the log",
    "dg_workflow_notification_reads": "what somebody has seen",
    "dpm_decision_evidence": "a receipt compares the document with the digest in the log: contract/decisions/test_evidence.py",
    "saved_views": "what somebody likes to see",
    "deliveries": "what is to be sent",
    "scheduler_leases": "who runs the jobs",
    "job_runs": "when a job ran",
    "sign_in_failures": "counted to slow guessing down",
    "answered_challenges": "so that an answer counts once",
    "dpm_counters": "counted again by support summary --recount",
    "dpm_idempotency_keys": "which answer a repetition gets",
    "dpm_idempotency_history": "which answer a repetition got",
    "dpm_lineage_edges": "links between what is proved",
    "dpm_operations": "work to be done; its runs are recorded",
    "dpm_operation_payloads": "work to be done",
    "dpm_operation_steps": "work to be done",
    "proposal_keys": "which answer a repetition gets",
    "proposal_simulations": "what was tried and became nothing",
}
# What is not found, and why nobody relies on it. There must never be more.
UNDETECTED = {
    "edit, hashes anew, dg_event_log.log_seq": "a number for the place; the order is what the tree proves",
    "edit dg_workflow_actions.action_seq": "a number for the place; after_log_seq is what orders an action",
    "exchange dg_workflow_actions.action_seq": "the same",
    "edit dg_workflow_items.risk_told": "whether a deadline was warned of",
    "edit dg_workflow_items.breach_told": "whether it was escalated for it; the escalation is an entry",
    "edit dg_workflow_items.sweep_not_before": "when the sweep looks again",
    "edit dg_workflow_runtime.updated_at": "when the log was last added to; its last entry tells",
    "delete person_sessions": "it signs somebody out; old ones are removed",
    "edit person_sessions.last_seen_at": "moves with every request",
    "exchange person_sessions.last_seen_at": "the same",
    "edit passkeys.sign_count": "moves with every use",
    "exchange passkeys.sign_count": "the same",
    "edit passkeys.last_used_at": "moves with every use",
    "exchange passkeys.last_used_at": "the same",
    "edit person_sessions.draft": "what somebody had typed before signing in",
}


@pytest.fixture
def world(make_app: MakeApp, tmp_path: Path) -> Iterator[Flask]:
    """Two of everything, in a log that was signed last when all of it had happened."""
    app = make_app(**log_settings(tmp_path))
    with app.app_context():
        _runs_and_reviews()
        _access(app)
        _passkeys()
        _proposals()
        sign(app)
        yield app
        db.session.rollback()


def _runs_and_reviews() -> None:
    with transaction() as session:
        for number in range(1, 5):
            record(session, number, policy=KEPT)
        record(session, 5, actor=replace(FEED, tenant_id="zurich"))
        record(session, 6, status="READY")
        record(session, 7, status="READY")
        append(session, event(EventType.TRACE_STARTED, STARTED))
        append(session, event(EventType.EXCEPTION_REQUESTED, requested()))
    with transaction() as session:
        decide(session, 1, GateAction.APPROVE)
        decide(session, 2, GateAction.REQUEST_CHANGES, actor=TOMAS)
        for action, actor in (
            (Action.CLAIM, NORA),
            (Action.COMMENT, NORA),
            (Action.REASSIGN, MARA),
            (Action.ESCALATE, MARA),
            (Action.OVERRIDE, ADA),
        ):
            act(session, workflow_id(3), action, actor=actor)
    for run_id, hold in (("rr_00000004", True), ("rr_00000004", False), ("rr_00000001", True)):
        with transaction() as session:
            set_legal_hold(
                session, run_id, hold=hold, reason="The court asks.", actor=ADA, surface=Surface.FORM, now=NOW
            )
    with transaction() as session:
        later = NOW + timedelta(days=400)
        assert purge_batch(session, Target(RUNS, "default", later, later), ["rr_00000006"])["runs"] == 1


def _access(app: Flask) -> None:
    for name, role in (("nora", Role.REVIEWER), ("max", Role.MANAGER)):
        people.hire(app, name, role)
    for account, now in (("feed", NOW), ("nightly", NOW + timedelta(minutes=1))):
        with transaction() as session:
            pack = PolicyPack(account, {"max_turnover_pct": "0.1"} if account == "feed" else {})
            put_pack(session, pack, tenant_id="default", now=now)
            create_token(
                session,
                account=account,
                tenant_id="default",
                permissions=(Permission.RUNS_READ,),
                expires_at=None,
                now=now,
            )
            open_session(session, name="nora", tenant_id="default", draft=None, now=now, hours=8)
            record_audit(
                session,
                AuditCategory.ADMIN,
                actor=ADA,
                action="create_account",
                subject=account,
                code="created",
                message=f"{account} was made.",
                surface=Surface.CLI,
                now=now,
            )


def _passkeys() -> None:
    with transaction() as session:
        for number, name in enumerate(("nora", "max")):
            session.add(
                Passkey(
                    passkey_id=f"psk_{number}",
                    name=name,
                    label=f"laptop of {name}",
                    credential_id=f"credential-{number}",
                    user_handle=f"handle-{number}",
                    public_key=f"key-{number}",
                    cose_key=f"cose-{number}",
                    rp_id=f"{name}.example",
                    sign_count=number,
                    created_at=NOW + timedelta(minutes=number),
                    last_used_at=NOW + timedelta(hours=number),
                )
            )
            session.flush()
            codes = new_codes(session, name=name, now=NOW + timedelta(minutes=number))
            assert use_code(session, codes[0], name=name, now=NOW + timedelta(hours=1 + number))
    with transaction() as session:
        assert remove_passkeys(session, name="max", by="ada", now=NOW) == 1


def _proposals() -> None:
    for key in ("one", "two"):
        proposal_id = proposals.proposed(key=key).proposal_id
        proposals.posted(proposal_id, ProposalEvent.SUBMITTED_FOR_RISK_REVIEW)
        proposals.approved(proposal_id, ApprovalType.RISK)


def is_found(session: Session) -> bool:
    """Return whether a verification of everything, with the checkpoints, says that something is wrong."""
    return any(_is_wrong(session, tenant_id) for tenant_id in chained_tenants(session))


def _is_wrong(session: Session, tenant_id: str) -> bool:
    """Look at what the command looks at, and stop at the first finding."""
    if not verify_chain(session, tenant_id).intact or not verify_tree(session, current.settings(), tenant_id).intact:
        return True
    return next(contradictions(session, tenant_id), None) is not None


def chain_anew(session: Session) -> None:
    """Compute every hash of every log anew, and where each ends."""
    for tenant_id in chained_tenants(session):
        head, anew = GENESIS, []
        for row in entries(session, tenant_id, after=0):
            linked = link_hash(entry_content(row), head)
            anew.append({"prev": head, "own": linked, "seq": row.log_seq})
            head = linked
        session.execute(text("UPDATE dg_event_log SET prev_hash = :prev, entry_hash = :own WHERE log_seq = :seq"), anew)
        ends = {"head": head, "last": anew[-1]["seq"], "count": len(anew), "tenant": tenant_id}
        session.execute(
            text(
                "UPDATE dg_workflow_runtime SET head_hash = :head, last_log_seq = :last, entry_count = :count"
                " WHERE tenant_id = :tenant"
            ),
            ends,
        )


def with_new_hashes(attempt: Attempt) -> Attempt:
    def do(session: Session) -> None:
        attempt.do(session)
        session.expire_all()
        chain_anew(session)

    return replace(attempt, verb=f"{attempt.verb}, hashes anew,", do=do)


def tried(session: Session) -> Iterator[Attempt]:
    for table in Base.metadata.sorted_tables:
        if table.name in NOT_TRIED:
            continue
        for attempt in attempts(session, table):
            yield attempt
            if table is EventLogEntry.__table__ and attempt.column not in ("prev_hash", "entry_hash", "payload_hash"):
                yield with_new_hashes(attempt)


def test_nothing_that_the_owner_of_the_database_does_passes(world: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in (rebuild, projections):
        monkeypatch.setattr(reader, "see_one_moment", lambda _session: None)  # it would end the attacker's transaction
    # What is wrong with an entry by itself follows from its columns alone.
    monkeypatch.setattr(chain, "_wrong", cache(chain._wrong))
    assert NOT_TRIED.keys() <= Base.metadata.tables.keys()
    with transaction() as session, owner(session):
        assert not is_found(session)
        outcomes = [(attempt, attempted(session, attempt, is_found)) for attempt in tried(session)]
        session.rollback()
    missed = {str(attempt) for attempt, outcome in outcomes if outcome == "undetected"}
    counted = Counter(outcome for _, outcome in outcomes)
    print(f"{len(outcomes)} tried, {counted['refused']} refused by the store, {counted['undetected']} undetected")
    assert missed <= UNDETECTED.keys(), missed - UNDETECTED.keys()
