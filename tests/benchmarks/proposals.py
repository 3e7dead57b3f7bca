"""The measured requests on proposals, and a store that is filled with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from lotus_web import create_app
from lotus_web.config import current
from lotus_web.config.settings import Settings
from lotus_web.domain.access import Permission
from lotus_web.services.proposals.compute import compute_version
from lotus_web.store.session import db
from lotus_web.wire.packed import pack
from lotus_web.wire.proposals.lifecycle import CreateProposalBody
from tests.benchmarks.loaded import environment, refresh_statistics
from tests.benchmarks.measure import Call
from tests.contract.rows import add_proposals
from tests.support.logs import fill
from tests.support.people import bearer_of
from tests.support.proposals import create_json

SIZES = (1_000, 20_000, 100_000)
# So few that each has a full page in the smallest store too: otherwise the answer would grow, not its cost.
PORTFOLIOS = 20
LOG_BATCH = 5_000
MAKER, APPROVER = "adviser", "risk-officer"
PROPOSALS = "/rebalance/proposals"


@dataclass
class ProposalStore:
    """An app on a store with ``size`` proposals, and a client that may do everything on behalf of others."""

    app: Flask
    client: FlaskClient
    headers: dict[str, str]
    size: int

    def post(self, path: str, body: object, key: str | None = None, *, status: int = 200) -> dict[str, object]:
        """Post a body, which must be accepted, and return the answer."""
        headers = self.headers if key is None else {**self.headers, "Idempotency-Key": key}
        answer = self.client.post(PROPOSALS + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json or {}

    def create(self, key: str) -> str:
        """Create a proposal and return its id."""
        found = self.post("", create_json(created_by=MAKER), key)["proposal"]
        return str(found["proposal_id"])  # type: ignore[index]

    def submit(self, proposal_id: str) -> None:
        """Send a draft to risk review."""
        body = {"event_type": "SUBMITTED_FOR_RISK_REVIEW", "actor_id": MAKER, "expected_state": "DRAFT"}
        self.post(f"/{proposal_id}/transitions", body)

    def approve(self, proposal_id: str) -> None:
        """Approve a proposal in risk review."""
        body = {"approval_type": "RISK", "approved": True, "actor_id": APPROVER, "expected_state": "RISK_REVIEW"}
        self.post(f"/{proposal_id}/approvals", body)


def open_proposals(url: str, size: int) -> ProposalStore:
    """Migrate a store and fill it with ``size`` proposals and as many entries of the log."""
    app = create_app(Settings.from_environ(environment(url)))
    portfolios = [f"pf_{number:03d}" for number in range(PORTFOLIOS)]
    with app.app_context():
        upgrade()
        now = current.utcnow()
    start = now - timedelta(seconds=size)
    add_proposals(app, size, start=start, step=timedelta(seconds=1), portfolios=portfolios, documents=_documents(app))
    with app.app_context():
        for first in range(0, size, LOG_BATCH):
            fill(min(LOG_BATCH, size - first))
            db.session.expunge_all()
        refresh_statistics()
        db.session.remove()
    headers = {"Authorization": f"Bearer {bearer_of(app, permissions=list(Permission))}"}
    return ProposalStore(app, app.test_client(), headers, size)


def _documents(app: Flask) -> tuple[bytes, bytes, bytes]:
    """Return the packed documents of one real version, which all stored proposals share."""
    body = CreateProposalBody.model_validate(create_json())
    with app.app_context():
        computed = compute_version(
            body.simulate_request,
            request_hash="sha256:0",
            idempotency_key="key",
            correlation_id="corr",
            now=current.utcnow(),
            store_evidence=True,
        )
    assert computed.parts.inputs is not None
    return pack(computed.parts.result), pack(computed.parts.artifact), pack(computed.parts.inputs)


def measured_proposals(store: ProposalStore) -> dict[str, Call]:
    """Return every measured request; what is approved was submitted before, and that was created before."""
    drafts: list[str] = []
    reviews: list[str] = []

    def create(number: int) -> None:
        drafts.append(store.create(f"bench-{number}"))

    def submit(_number: int) -> None:
        reviews.append(drafts.pop())
        store.submit(reviews[-1])

    def approve(_number: int) -> None:
        store.approve(reviews.pop())

    def get(path: Callable[[int], str]) -> Call:
        def call(number: int) -> None:
            answer = store.client.get(PROPOSALS + path(number), headers=store.headers)
            assert answer.status_code == 200, answer.text

        return call

    return {
        "GET proposal": get(lambda number: f"/{store_id(store, number)}"),
        "GET proposals?limit=50": get(lambda _number: "?limit=50"),
        "GET proposals of portfolio": get(lambda number: f"?limit=50&portfolio_id=pf_{number % PORTFOLIOS:03d}"),
        "GET proposals in state": get(lambda _number: "?limit=50&state=AWAITING_CLIENT_CONSENT"),
        "POST proposal": create,
        "POST transition": submit,
        "POST approval": approve,
        **_async(store),
    }


def store_id(store: ProposalStore, number: int) -> str:
    """Return the id of a stored proposal; ids of neighbouring calls lie far apart."""
    return f"pp_{number * 7_919 % store.size:06d}"


def _async(store: ProposalStore) -> dict[str, Call]:
    """Return the submit of an operation, where this version has its route."""
    if not any(rule.rule == f"{PROPOSALS}/async" for rule in store.app.url_map.iter_rules()):
        return {}

    def submit(number: int) -> None:
        store.post("/async", create_json(created_by=MAKER), f"async-{number}", status=202)

    return {"POST proposal async": submit}
