"""The record in words: what a refusal is about is a link, and a bare code reads as a sentence."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.surface import Surface
from lotus_web.models import AuditRecord
from lotus_web.queries.audit.lines import AuditLine, Source
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.store.session import db, transaction
from lotus_web.web.audit.words import text_of
from tests.integration.conftest import ClientOf
from tests.support.people import post

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]
ADA = Actor(ActorType.PERSON, "ada", "default", frozenset(Permission))


def about(page: str) -> list[str]:
    """Return where the cells that say what a line is about lead, newest first."""
    return [unescape(href) for href in re.findall(r'data-label="About">.*?href="([^"]+)"', page, re.DOTALL)]


@pytest.mark.parametrize(
    ("action", "subject", "for_admins", "for_managers"),
    [
        ("approve", "corr-1:exception:rr_1", "/inbox/corr-1:exception:rr_1", "/inbox/corr-1:exception:rr_1"),
        ("approve", "an-id-of-any-shape", "/inbox/an-id-of-any-shape", "/inbox/an-id-of-any-shape"),
        ("runs_start_review", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("replay_replay", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("gate_decide", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("verify_chain", "rr_1", "/audit?about=rr_1", "/audit?about=rr_1"),
        ("claim", "next", "/audit?about=next", "/audit?about=next"),
        ("legal_hold_set", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("proposal_hold_lifted", "pp_1", "/proposals/pp_1", "/proposals/pp_1"),
        ("change_proposal_hold", "pp_1", "/proposals/pp_1", "/proposals/pp_1"),
        ("create_proposal_version", "pp_1", "/proposals/pp_1", "/proposals/pp_1"),
        ("start_review", "corr-1", "/traces/corr-1", "/traces/corr-1"),
        ("grant_role", "nora", "/admin/people/nora", "/audit?about=nora"),
        ("revoke_token", "tok1", "/admin/tokens/tok1", "/audit?about=tok1"),
        ("disable_account", "engine", "/admin/tokens", "/audit?about=engine"),
        ("create_person", "/admin", "/audit?about=%2Fadmin", "/audit?about=%2Fadmin"),
        ("change_person", "nora", "/admin/people/nora", "/audit?about=nora"),
        ("change_legal_hold", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        # Rows of earlier versions, which stored the names of the endpoints of their time.
        ("admin_add", "/admin", "/audit?about=%2Fadmin", "/audit?about=%2Fadmin"),
        ("admin_alter", "nora", "/admin/people/nora", "/audit?about=nora"),
        ("admin_tokens_revoke", "tok1", "/admin/tokens/tok1", "/audit?about=tok1"),
        ("admin_accounts_alter", "engine", "/admin/tokens", "/audit?about=engine"),
        ("legal_hold_change", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("supportability_post_legal_hold", "rr_1", "/runs/rr_1", "/runs/rr_1"),
        ("verify_chain", "chain", "/audit?about=chain", "/audit?about=chain"),
    ],
)
def test_what_a_line_is_about_is_a_link(
    app: Flask, client_of: ClientOf, action: str, subject: str, for_admins: str, for_managers: str
) -> None:
    with app.app_context(), transaction() as session:
        record_audit(
            session,
            AuditCategory.ADMIN,
            actor=ADA,
            action=action,
            subject=subject,
            code="done",
            message="It was done.",
            surface=Surface.ADMIN,
            now=utcnow(),
        )
    for name, address in (("ada", for_admins), ("max", for_managers)):
        assert [unescape(one).replace("%3A", ":") for one in about(client_of(name).get("/audit").text)] == [address]


@pytest.mark.parametrize(
    ("stored", "present"),
    [
        ("admin_add", "Create person"),
        ("admin_alter", "Change person"),
        ("admin_tokens_issue", "Create token"),
        ("legal_hold_change", "Change legal hold"),
        ("supportability_post_legal_hold", "Change legal hold"),
        ("inbox_claim", "Inbox claim"),
    ],
)
def test_a_row_of_an_earlier_version_reads_with_the_word_of_today_and_stays_as_it_is(
    app: Flask, client_of: ClientOf, stored: str, present: str
) -> None:
    with app.app_context(), transaction() as session:
        record_audit(
            session,
            AuditCategory.REFUSED,
            actor=ADA,
            action=stored,
            subject="x",
            code="FORBIDDEN",
            message="No.",
            surface=Surface.FORM,
            now=utcnow(),
        )
    ada = client_of("ada")
    assert present in ada.get("/audit").text
    word = present.lower().replace(" ", "_")
    assert f'""action"":""{word}""' in ada.get("/audit.csv").text
    with app.app_context():
        assert db.session.scalars(select(AuditRecord.action)).all() == [stored]


def test_the_filters_and_the_chain_read_without_a_riddle(client_of: ClientOf) -> None:
    max_ = client_of("max")
    page = max_.get("/audit").text
    labels = re.findall(r'<label class="label" for="([a-z]+)">([A-Za-z ()]+?) ?<', page)
    assert dict(labels) == {
        "source": "Source",
        "kind": "Kind",
        "actor": "By",
        "about": "About",
        "from": "From (UTC)",
        "to": "To (UTC)",
    }
    assert re.search(r"<dt>Last verified</dt>\s*<dd>never</dd>", page)
    post(max_, "/audit/verify")
    assert re.search(r"<dt>Last verified</dt>\s*<dd><time", max_.get("/audit").text)


def line(text: str, *, code: str = "", source: Source = Source.RECORD, **details: str) -> AuditLine:
    """Return a line of the audit log that says ``text``."""
    named = {"kind": "refused", "actor_id": "nora", "about": "t", "surface": "form", "line_id": "aud_1"}
    return AuditLine(
        source=source,
        seq=1,
        at=utcnow(),
        on_behalf_of=None,
        trace_id=None,
        text=text,
        hash=None,
        details={"code": code, **details},
        **named,
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("DPM_WORKFLOW_INVALID_TRANSITION", "The gate does not allow this decision now."),
        ("DPM_SOMETHING_ELSE", "Dpm something else."),
    ],
)
def test_a_bare_code_reads_as_a_sentence(code: str, sentence: str) -> None:
    assert text_of(line(code, code=code)) == sentence


@pytest.mark.parametrize("text", ["Choose a reason.", "DPM_SOMETHING_ELSE", "This needs the permission admin."])
def test_what_someone_wrote_is_told_as_it_is(text: str) -> None:
    assert text_of(line(text, code="OTHER")) == text
    assert text_of(line(text, code=text, source=Source.ACTION, permission="admin")) == text


def test_a_missing_permission_is_told_by_what_it_allows() -> None:
    told = text_of(line("This needs the permission admin.", code="FORBIDDEN", permission="admin"))
    assert told == "This needs the permission “Administer people and tokens”."
