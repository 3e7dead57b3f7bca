"""The lock files name exact versions with hashes and no address, agree with pyproject.toml and each other, and are complete.

Complete means that a file is installed without looking for anything else, so that no later release can break a clone.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.tools.lock_walk import Facts, problems

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


def asked_for(name: str) -> list[str]:
    """Return what the project asks for in the environment of a lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in LOCKS[name] for one in project["optional-dependencies"][extra]]
    return [*project["dependencies"], *extras, *(ROOT / "requirements" / "build.in").read_text().split()]


def facts() -> dict[str, Facts]:
    """Return what each locked package requires."""
    found: dict[str, Facts] = json.loads((ROOT / "requirements" / "metadata.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_all_that_it_needs_on_every_platform_and_python_and_nothing_else(name: str) -> None:
    assert list(problems(lock(name), asked_for(name), facts())) == [], "run `make lock`"


def without(text: str, package: str) -> str:
    """Return a lock file without the entries of a package."""
    entries = re.split(r"\n(?=\S)", text)
    return "\n".join(entry for entry in entries if not entry.startswith(f"{package}=="))


@pytest.mark.parametrize("name", ["core", "dev"])
def test_a_lock_file_that_lost_an_entry_is_not_complete(name: str) -> None:
    text, asked, known = lock(name), asked_for(name), facts()
    packages = sorted({package for package, _ in pins(text)})
    assert len(packages) > 30
    found = {package: next(problems(without(text, package), asked, known), "") for package in packages}
    assert {package for package, problem in found.items() if not problem.endswith("it is not locked")} == set()


def test_an_entry_that_nothing_needs_is_named() -> None:
    known = {**facts(), "left-over==1.0": Facts(requires_python="", provides_extra=[], requires_dist=[])}
    assert list(problems(lock("core") + "left-over==1.0\n", asked_for("core"), known)) == [
        "nothing needs left-over==1.0"
    ]


@pytest.mark.parametrize(
    ("package", "version", "complaint"),
    [
        ("werkzeug", "2.0", "the project needs werkzeug>=3.1.9,<3.2, and 2.0 is locked"),
        ("mako", "1.0", ""),
        ("mako", "1.0.unknown", "requirements/metadata.json has no mako==1.0.unknown: run make lock"),
    ],
)
def test_a_version_that_does_not_fit_is_named(package: str, version: str, complaint: str) -> None:
    known, text = facts(), lock("core")
    (locked,) = (str(found) for (name, _), found in pins(text).items() if name == package)
    changed = text.replace(f"{package}=={locked}", f"{package}=={version.removesuffix('.unknown')}")
    if not version.endswith(".unknown"):
        known[f"{package}=={version}"] = known[f"{package}=={locked}"]
    found = "\n".join(problems(changed, asked_for("core"), known))
    assert complaint.replace(".unknown", "") in found
    assert bool(found) == bool(complaint)


@pytest.mark.parametrize(
    ("package", "change", "complaint"),
    [
        ("pwdlib", {"provides_extra": []}, "has no extra argon2"),
        ("pwdlib", {"requires_dist": ["left-out>=1; extra == 'argon2'"]}, "pwdlib needs left-out>=1"),
        ("pytest", {"requires_dist": ["left-out; sys_platform == 'win32'"]}, "on win32 with Python 3.11 pytest needs"),
        ("pytest", {"requires_dist": ["left-out; python_version >= '3.14'"]}, "on linux with Python 3.14 pytest needs"),
        ("pytest", {"requires_python": ">=3.12"}, "needs Python >=3.12"),
    ],
)
def test_extras_markers_and_pythons_count(package: str, change: dict[str, object], complaint: str) -> None:
    known = facts()
    (pin,) = (pin for pin in known if pin.startswith(f"{package}=="))
    known[pin] = {**known[pin], **change}  # type: ignore[typeddict-item]
    assert complaint in "\n".join(problems(lock("test"), asked_for("test"), known))


def test_the_metadata_are_those_of_the_locked_packages() -> None:
    locked = {f"{package}=={version}" for (package, _), version in pins(lock("dev")).items()}
    assert set(facts()) == locked


def test_the_metadata_agree_with_what_is_installed() -> None:
    known, seen = facts(), 0
    for one in metadata.distributions():
        said = known.get(f"{canonicalize_name(one.metadata['Name'])}=={one.version}")
        if said is not None:
            seen += 1
            assert said["requires_dist"] == (one.metadata.get_all("Requires-Dist") or []), one.name
            assert said["requires_python"] == (one.metadata["Requires-Python"] or ""), one.name
    assert seen >= len(pins(lock("core")))


def test_the_metadata_hold_no_address() -> None:
    text = (ROOT / "requirements" / "metadata.json").read_text(encoding="utf-8")
    assert ADDRESS.findall(text) == []


@pytest.mark.parametrize("name", sorted(set(LOCKS) - {"dev"}))
def test_no_two_environments_disagree_about_a_version(name: str) -> None:
    assert pins(lock(name)).items() <= pins(lock("dev")).items()
