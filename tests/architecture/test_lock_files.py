"""The lock files name exact versions with hashes and no address, and they agree with pyproject.toml and each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = {
    "core": (),
    "solver": ("solver",),
    "test": ("solver", "test"),
    "dev": ("solver", "test", "dev"),
}
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ")


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


def pins(text: str) -> dict[tuple[str, str], Version]:
    """Return the version by package name and marker."""
    found = {}
    for line in text.splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\").strip())
            (pin,) = requirement.specifier
            found[canonicalize_name(requirement.name), str(requirement.marker or "")] = Version(pin.version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_no_address(name: str) -> None:
    assert ADDRESS.findall(lock(name)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=\S)", lock(name).strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_satisfies_what_the_project_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"]]
    for extra in LOCKS[name]:
        asked += project["optional-dependencies"][extra]
    locked = pins(lock(name))
    for requirement in map(Requirement, asked):
        versions = [
            version for (package, _), version in locked.items() if package == canonicalize_name(requirement.name)
        ]
        assert versions, f"{requirement.name} is missing: run `make lock`"
        assert all(version in requirement.specifier for version in versions), f"{requirement} is locked at {versions}"


@pytest.mark.parametrize("name", sorted(set(LOCKS) - {"dev"}))
def test_no_two_environments_disagree_about_a_version(name: str) -> None:
    assert pins(lock(name)).items() <= pins(lock("dev")).items()
