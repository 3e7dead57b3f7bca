"""`flask policy-packs`: a pack is checked before it is stored, and every change is on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from lotus_web.models import AuditRecord
from lotus_web.store.session import db

PACK = {"policy_pack_id": "low-turnover", "max_turnover_pct": "0.10", "enable_tax_awareness": None}


def run(app: Flask, *args: str, pack: Any = None) -> Result:
    return app.test_cli_runner().invoke(args=["policy-packs", *args], input=None if pack is None else json.dumps(pack))


def test_a_pack_is_put_replaced_listed_and_removed_on_record(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "pack.json"
    file.write_text(json.dumps(PACK), encoding="utf-8")
    assert run(app, "put", str(file)).stdout == "low-turnover was added in default.\n"
    replaced = run(app, "put", "-", pack=PACK | {"max_turnover_pct": 0.2, "replay_enabled": False})
    assert replaced.stdout == "low-turnover was replaced in default.\n"
    (listed,) = run(app, "list").stdout.splitlines()
    name, day, sets = listed.split("\t")
    assert (name, len(day), json.loads(sets)) == (
        "low-turnover",
        10,
        {"max_turnover_pct": "0.2", "replay_enabled": False},
    )
    assert run(app, "remove", "low-turnover").stdout == "low-turnover was removed from default.\n"
    assert run(app, "list").stdout == ""
    with app.app_context():
        lines = db.session.query(AuditRecord).order_by(AuditRecord.audit_seq).all()
    assert [(line.tenant_id, line.actor_id, line.surface, line.action, line.subject) for line in lines] == [
        ("default", "operator", "cli", action, "low-turnover")
        for action in ("put_policy_pack", "put_policy_pack", "remove_policy_pack")
    ]
    assert [line.details["overrides"] for line in lines] == [
        {"max_turnover_pct": "0.10"},
        {"max_turnover_pct": "0.2"},
        {"max_turnover_pct": "0.2"},
    ]


@pytest.mark.stores("sqlite")
def test_a_pack_belongs_to_one_tenant(app: Flask) -> None:
    assert run(app, "put", "-", "--tenant", "north", pack=PACK).exit_code == 0
    assert run(app, "list").stdout == ""
    assert run(app, "list", "--tenant", "north").stdout.startswith("low-turnover\t")
    refused = run(app, "remove", "low-turnover")
    assert (refused.exit_code, refused.stderr) == (1, "Error: There is no policy pack low-turnover in default.\n")


@pytest.mark.parametrize(
    ("pack", "told"),
    [
        ({"policy_pack_id": "p", "max_turnover_pct": 2}, "max_turnover_pct: Value error, max_turnover_pct must be"),
        ({"policy_pack_id": "p", "max_turnover": "0.1"}, "A policy pack has no max_turnover; it may set max_turnover_"),
        ({"max_turnover_pct": "0.1"}, "policy_pack_id: Field required"),
        ([PACK], "the pack: Input should be a valid dictionary"),
    ],
)
@pytest.mark.stores("sqlite")
def test_a_pack_that_could_not_be_applied_is_not_stored(app: Flask, pack: Any, told: str) -> None:
    refused = run(app, "put", "-", pack=pack)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert run(app, "list").stdout == ""


TWICE = '{"policy_pack_id": "p", "max_turnover_pct": "0.1", "max_turnover_pct": "0.9"}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "This is not JSON: Expecting property name enclosed in double quotes: character 1"),
        (" ", "This is not JSON: the file is empty"),
        (TWICE, 'An object names the member "max_turnover_pct" more than once'),
    ],
)
@pytest.mark.stores("sqlite")
def test_what_a_request_could_not_say_is_refused(app: Flask, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "pack.json"
    file.write_text(text, encoding="utf-8")
    refused = run(app, "put", str(file))
    assert (refused.exit_code, refused.stderr.splitlines()[-1].removeprefix("Error: ")) == (1, told)
    assert run(app, "list").stdout == ""
