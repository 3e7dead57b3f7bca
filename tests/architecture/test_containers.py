"""compose.yaml and Dockerfile: every container is confined, whichever service is added."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 256
    assert service["mem_limit"]
    assert service["cpus"]
    assert any(folder.split(":")[0] == "/tmp" for folder in service["tmpfs"])
    # Ours says in the Dockerfile who it runs as.
    assert "build" in service or service["user"].split(":")[0] not in {"0", "root"}


def test_the_image_runs_as_a_user_with_a_number_who_does_not_own_the_code() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001"]
    assert not any("--chown" in line or "chown -R" in line for line in lines)


def volumes(name: str) -> set[str]:
    return {volume.split(":")[0] for volume in SERVICES[name].get("volumes", ())}


def test_only_migrations_know_the_owner_of_the_database_and_nothing_its_superuser() -> None:
    known = {name: str(service.get("environment", {})) for name, service in SERVICES.items()}
    assert {name for name, text in known.items() if "LOTUS_OWNER_PASSWORD" in text} == {"postgres", "migrate"}
    assert {name for name, text in known.items() if "POSTGRES_PASSWORD" in text} == {"postgres"}
    assert "./deploy/postgres-roles.sh" in volumes("postgres")


def test_only_the_jobs_and_what_makes_it_see_the_key_that_signs_the_log() -> None:
    assert {name for name in SERVICES if "keys" in volumes(name)} == {"log-key", "jobs"}
    assert {name for name in SERVICES if "public-keys" in volumes(name)} == {"log-key", "web"}
    for name in ("log-key", "jobs", "web"):
        folder = SERVICES[name]["environment"]["LOTUS_LOG_KEY_FILE"].split("/")[0]
        assert any(volume.startswith(f"{folder}:/srv/lotus/{folder}") for volume in SERVICES[name]["volumes"])


def test_the_key_is_made_once_and_its_public_half_is_handed_on(tmp_path: Path) -> None:
    service = SERVICES["log-key"]
    for folder in ("keys", "public-keys"):
        (tmp_path / folder).mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {"LOTUS_LOG_KEY_FILE": service["environment"]["LOTUS_LOG_KEY_FILE"]}
    made = set()
    for _ in range(2):
        done = subprocess.run(
            service["command"],
            cwd=tmp_path,
            env={"PATH": path, "PYTHONPATH": str(ROOT), **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        key, public = tmp_path / "keys/log_key", tmp_path / "public-keys/log_key.pub"
        assert (key.stat().st_mode & 0o777, public.read_text()) == (0o600, (tmp_path / "keys/log_key.pub").read_text())
        made.add((key.read_text(), public.read_text()))
    assert len(made) == 1
    assert not (tmp_path / "public-keys/log_key").exists()
