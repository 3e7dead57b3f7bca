"""What did not arrive: seen on its page and on the operation's, sent again by who may, with a line in the audit log."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.models import AuditRecord, Delivery
from lotus_web.store.session import db, transaction
from tests.integration.conftest import ClientOf
from tests.support import people
from tests.support.analyses import accept
from tests.support.people import post

ADDRESS = "https://hooks.example/desk?token=s3cret"
SQLITE = pytest.mark.stores("sqlite")


def called_back(app: Flask, **state: object) -> tuple[str, str]:
    """Return an ended operation and the delivery of its callback, in this state."""
    with app.app_context():
        operation_id = accept(callback_url=ADDRESS, inline=True).operation_id
        with transaction() as session:
            row = session.scalars(select(Delivery).where(Delivery.subject_id == operation_id)).one()
            for name, value in state.items():
                setattr(row, name, value)
            delivery_id = row.delivery_id
        db.session.remove()
    return operation_id, delivery_id


def dead(app: Flask) -> tuple[str, str]:
    now = utcnow()
    return called_back(
        app, status="dead", attempts=8, due_at=None, last_error="HTTP 503", attempted_at=now, finished_at=now
    )


def test_one_that_was_given_up_is_seen_and_sent_again_by_who_may(app: Flask, client_of: ClientOf) -> None:
    operation_id, delivery_id = dead(app)
    ada, vera = client_of("ada"), client_of("vera")
    for page in ("/deliveries", f"/operations/{operation_id}"):
        shown = vera.get(page).text
        assert "Given up" in shown
        assert "HTTP 503" in shown
        assert f'action="/deliveries/{delivery_id}/resend"' not in shown
        assert f'action="/deliveries/{delivery_id}/resend"' in ada.get(page).text
    assert "given up: 1." in vera.get("/operations").text
    assert post(vera, f"/deliveries/{delivery_id}/resend").status_code == 403
    assert post(ada, f"/deliveries/{delivery_id}/resend").status_code == 303
    with app.app_context():
        row = db.session.scalars(select(Delivery)).one()
        assert (row.status, row.attempts, row.finished_at) == ("pending", 0, None)
        told = db.session.scalars(select(AuditRecord).where(AuditRecord.category == "admin")).one()
        assert (told.action, told.subject, told.actor_id, told.surface) == (
            "resend_delivery",
            delivery_id,
            "ada",
            "form",
        )
        db.session.remove()
    again = post(ada, f"/deliveries/{delivery_id}/resend")
    assert again.status_code == 409
    assert "no longer one that was given up" in again.text
    assert "given up: " not in vera.get("/operations").text


def test_a_page_shows_how_a_callback_is_doing_and_nothing_of_its_query(app: Flask, client_of: ClientOf) -> None:
    operation_id, delivery_id = called_back(app, attempts=2, last_error="no connection", attempted_at=utcnow())
    page = client_of("vera").get(f"/operations/{operation_id}").text
    for told in ("https://hooks.example/desk?…", "Waiting", "no connection", "Next attempt", delivery_id):
        assert told in page
    assert "s3cret" not in page
    assert "s3cret" not in client_of("vera").get("/deliveries").text


@SQLITE
def test_before_the_end_a_page_says_that_there_will_be_a_callback(app: Flask, client_of: ClientOf) -> None:
    with app.app_context():
        operation_id = accept(callback_url=ADDRESS).operation_id
        db.session.remove()
    assert "Sent when the operation has ended" in client_of("vera").get(f"/operations/{operation_id}").text


@SQLITE
def test_what_has_arrived_is_not_listed_and_other_tenants_see_nothing(app: Flask, client_of: ClientOf) -> None:
    called_back(app, status="delivered", due_at=None, finished_at=utcnow())
    assert "Everything has arrived" in client_of("vera").get("/deliveries").text
    _, delivery_id = dead(app)
    people.hire(app, "stan", Role.ADMIN, tenant="north")
    stan = app.test_client()
    assert people.sign_in(stan, "stan").status_code == 303
    assert delivery_id not in stan.get("/deliveries").text
    assert post(stan, f"/deliveries/{delivery_id}/resend").status_code == 404
    with app.app_context():
        assert db.session.execute(text("SELECT count(*) FROM deliveries WHERE status = 'dead'")).scalar() == 1


@SQLITE
def test_pages_follow_each_other(app: Flask, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.web.deliveries.PAGE_SIZE", 1)
    made = [called_back(app)[0] for _ in range(2)]
    vera = client_of("vera")
    first = vera.get("/deliveries").text
    assert (made[1] in first, made[0] in first) == (True, False)
    assert 'rel="next"' in first
    assert vera.get("/deliveries?cursor=x").status_code == 422
