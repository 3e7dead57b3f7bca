"""Each line of the checklist for a bank finds the fault that it is for, and the settings of docs/security.md meet them all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lotus_web.config.settings import Settings
from lotus_web.queries.health.bank import CHECKLIST, bank_findings
from lotus_web.queries.health.doctor import State
from tests.unit.domain.transparency.test_witnesses import GOOD

URL = "postgresql+psycopg://lotus:secret@db.bank.example/lotus"
BANK = {
    "LOTUS_ENV": "production",
    "LOTUS_API_AUTH": "required",
    "DPM_SUPPORTABILITY_STORE_BACKEND": "SQL",
    "DPM_SUPPORTABILITY_DATABASE_URL": f"{URL}?sslmode=verify-full",
    "LOTUS_FOUR_EYES": "true",
    "PROPOSAL_FOUR_EYES": "true",
    "LOTUS_FOUR_EYES_EXEMPT_TENANTS": "",
    "LOTUS_SECOND_FACTOR": "everyone",
    "LOTUS_SIGN_DECISIONS": "all",
    "LOTUS_REQUIRE_EVIDENCE": "true",
    "LOTUS_LOG_KEY_FILE": "/run/secrets/log.key",
    "LOTUS_CHECKPOINT_DIR": "/var/checkpoints",
    "LOTUS_WITNESSES": json.dumps([GOOD]),
    "LOTUS_SESSION_IDLE_MINUTES": "30",
    "LOTUS_SESSION_HOURS": "12",
    "LOTUS_METRICS_ACCESS": "token",
}
FAULTS = {
    "LOTUS_ENV": ("development",),
    "LOTUS_API_AUTH": ("disabled",),
    "DPM_SUPPORTABILITY_STORE_BACKEND": ("SQLITE", "IN_MEMORY"),
    "DPM_SUPPORTABILITY_DATABASE_URL": (URL, f"{URL}?sslmode=require", "sqlite:///lotus.db?sslmode=verify-full"),
    "LOTUS_FOUR_EYES": ("false",),
    "PROPOSAL_FOUR_EYES": ("false",),
    "LOTUS_FOUR_EYES_EXEMPT_TENANTS": ("small",),
    "LOTUS_SECOND_FACTOR": ("", "admin, manager"),
    "LOTUS_SIGN_DECISIONS": ("off",),
    "LOTUS_REQUIRE_EVIDENCE": ("false",),
    "LOTUS_LOG_KEY_FILE": ("",),
    "LOTUS_CHECKPOINT_DIR": ("",),
    "LOTUS_WITNESSES": ("[]",),
    "LOTUS_SESSION_IDLE_MINUTES": ("31",),
    "LOTUS_SESSION_HOURS": ("13",),
    "LOTUS_METRICS_ACCESS": ("public",),
}
PAGE = (Path(__file__).parents[4] / "docs" / "security.md").read_text(encoding="utf-8")


def wrong(environ: dict[str, str]) -> list[str]:
    return [finding.says for finding in bank_findings(Settings(environ)) if finding.state is State.WRONG]


def test_the_settings_of_a_bank_meet_every_line() -> None:
    assert wrong(BANK) == []


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults])
def test_each_fault_is_found_by_its_line_alone(name: str, fault: str) -> None:
    (line,) = (line for line in CHECKLIST if name in line.settings)
    assert wrong(BANK | {name: fault}) == [f"Not so: {line.says}"]


def test_every_setting_of_the_list_is_tried_and_is_on_the_page() -> None:
    listed = {name for line in CHECKLIST for name in line.settings}
    assert listed == set(FAULTS) == set(BANK)
    assert set(re.findall(r"^([A-Z_]+)=", PAGE, re.MULTILINE)) == listed
