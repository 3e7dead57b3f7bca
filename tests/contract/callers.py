"""Programs that call the JSON API in tests, and the requests they send."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.test import Client, TestResponse

from lotus_web.domain.access import Permission
from lotus_web.services.accounts.tokens import create_token
from lotus_web.store.session import transaction

DEMOS = Path(__file__).parents[1] / "data" / "reference-demos"
ENGINE = "engine-feed"
REVIEWER = "rosa.reviewer"
ALL = tuple(Permission)
_keys = itertools.count(1)


def ready_request() -> dict[str, Any]:
    """A drifted portfolio whose run needs nobody."""
    found: dict[str, Any] = json.loads((DEMOS / "01_standard_drift.json").read_text())
    return found


def review_request() -> dict[str, Any]:
    """The same portfolio under a cash band that its model cannot meet: PENDING_REVIEW."""
    request = copy.deepcopy(ready_request())
    request["options"]["cash_band_max_weight"] = "0.10"
    return request


def blocked_request() -> dict[str, Any]:
    """A portfolio with a price missing: BLOCKED."""
    found: dict[str, Any] = json.loads((DEMOS / "05_safety_hard_block_price.json").read_text())
    return found


def segment(text: str) -> str:
    """Return an id as a client writes it into a path."""
    return quote(text, safe="")


def filled(rule: str) -> str:
    """Return the address of a route, its ids all ``x``."""
    head, _, rest = rule.partition("<")
    _, _, tail = rest.partition(">")
    return f"{head}x{filled(tail)}" if rest else head


def bearer_of(app: Flask, account: str, permissions: Iterable[Permission], tenant: str) -> str:
    """Return the text of a new token."""
    with app.app_context(), transaction() as session:
        token = create_token(
            session,
            account=account,
            tenant_id=tenant,
            permissions=tuple(permissions),
            expires_at=None,
            now=datetime.now(UTC),
        )
    return token.secret_text


@dataclass
class Caller:
    """A service account with its token."""

    client: Client
    account: str
    bearer: str
    tenant: str | None = None
    prefix: str = "/api/v1"

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request with the token; ``headers`` adds to it or replaces."""
        headers = {"Authorization": f"Bearer {self.bearer}"} | dict(options.pop("headers", None) or {})
        if self.tenant is not None:
            headers.setdefault("X-Tenant-Id", self.tenant)
        return self.client.open(f"{self.prefix}{path}", method=method, headers=headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        """Read with these query parameters; ``from_`` stands for ``from``."""
        headers = query.pop("headers", None)
        asked = {name.rstrip("_"): value for name, value in query.items()}
        return self.send("GET", path, query_string=asked or None, headers=headers)

    def simulate(
        self, request: Any = None, *, key: str | None = None, correlation: str | None = None, **headers: str
    ) -> TestResponse:
        """Post a simulate request under a new key, unless one is given."""
        sent = {"Idempotency-Key": key or f"key-{next(_keys)}"} | headers
        if correlation is not None:
            sent["X-Correlation-Id"] = correlation
        return self.send(
            "POST", "/rebalance/simulate", json=ready_request() if request is None else request, headers=sent
        )

    def run(self, request: Any = None, *, key: str | None = None, correlation: str | None = None) -> dict[str, Any]:
        """Record a run and return its result."""
        answer = self.simulate(request, key=key, correlation=correlation)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    def decide(self, path: str, action: str = "APPROVE", *, actor: str | None = None, **fields: Any) -> TestResponse:
        """Post a decision to ``/rebalance/runs/<path>/workflow/actions``."""
        body = {"action": action, "reason_code": "WITHIN_MANDATE", "actor_id": actor or self.account} | fields
        return self.send("POST", f"/rebalance/runs/{path}/workflow/actions", json=body)
