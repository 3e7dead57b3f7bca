"""Whether a lock file is complete: each requirement of each package in it is met by the file itself, with extras and markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypedDict

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# sys_platform, platform_system, os_name, platform_machine
MACHINES = (
    ("linux", "Linux", "posix", "x86_64"),
    ("linux", "Linux", "posix", "aarch64"),
    ("darwin", "Darwin", "posix", "x86_64"),
    ("darwin", "Darwin", "posix", "arm64"),
    ("win32", "Windows", "nt", "AMD64"),
)


class Facts(TypedDict):
    """What the metadata of a package says of its requirements, as requirements/metadata.json has it."""

    requires_python: str
    provides_extra: list[str]
    requires_dist: list[str]


@dataclass(frozen=True, slots=True)
class Pin:
    """A line of a lock file."""

    name: str
    version: str
    marker: str


parse = cache(Requirement)
parse_marker = cache(Marker)


def pins(lock: str) -> list[Pin]:
    """Return the lines of a lock file that name a package."""
    lines = (line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum() and "==" in line)
    return [pin_of(Requirement(line)) for line in lines]


def pin_of(requirement: Requirement) -> Pin:
    """Return a requirement that names one version as a pin."""
    (only,) = requirement.specifier
    return Pin(canonicalize_name(requirement.name), only.version, str(requirement.marker or ""))


def environments() -> Iterator[dict[str, str]]:
    """Yield the marker values of each CPython and platform that the project runs on."""
    for python in PYTHONS:
        for platform, system, os_name, machine in MACHINES:
            yield {
                "implementation_name": "cpython",
                "implementation_version": f"{python}.0",
                "platform_python_implementation": "CPython",
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": platform,
                "platform_system": system,
                "platform_machine": machine,
                "platform_release": "",
                "platform_version": "",
                "os_name": os_name,
            }


def holds(marker: str, environment: Mapping[str, str], extra: str) -> bool:
    """Return whether a marker holds."""
    return not marker or parse_marker(marker).evaluate({**environment, "extra": extra})


class Walk:
    """The walk from the project's own requirements through a lock file, for one environment."""

    def __init__(self, locked: Iterable[Pin], facts: Mapping[str, Facts], environment: Mapping[str, str]):
        self.facts, self.environment = facts, environment
        self.reached: set[Pin] = set()
        self.found: dict[str, list[Pin]] = {}
        for pin in locked:
            if holds(pin.marker, environment, ""):
                self.found.setdefault(pin.name, []).append(pin)

    def problems(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield what is missing or does not fit, from the requirements ``roots`` on."""
        where = f"on {self.environment['sys_platform']} with Python {self.environment['python_version']}"
        waiting = [("the project", "", root) for root in roots]
        seen = set()
        while waiting:
            asker, extra, text = waiting.pop()
            wanted = parse(text)
            if (asker, extra, text) in seen or not holds(str(wanted.marker or ""), self.environment, extra):
                continue
            seen.add((asker, extra, text))
            pin, problem = self.met(wanted)
            if problem or pin is None:
                yield f"{where} {asker} needs {text}, and {problem}"
                continue
            self.reached.add(pin)
            for asked in ("", *sorted(wanted.extras)):
                waiting += [(pin.name, canonicalize_name(asked), one) for one in self.facts_of(pin)["requires_dist"]]

    def met(self, wanted: Requirement) -> tuple[Pin | None, str]:
        """Return the line that meets a requirement, or what is wrong."""
        lines = self.found.get(canonicalize_name(wanted.name), [])
        if len(lines) != 1:
            return None, "it is locked more than once" if lines else "it is not locked"
        (pin,) = lines
        facts = self.facts.get(f"{pin.name}=={pin.version}")
        if facts is None:
            return None, f"requirements/metadata.json has no {pin.name}=={pin.version}: run make lock"
        if not wanted.specifier.contains(Version(pin.version), prereleases=True):
            return None, f"{pin.version} is locked"
        if not SpecifierSet(facts["requires_python"]).contains(self.environment["python_version"]):
            return None, f"{pin.version} needs Python {facts['requires_python']}"
        if unknown := {canonicalize_name(extra) for extra in wanted.extras} - set(facts["provides_extra"]):
            return None, f"{pin.version} has no extra {', '.join(sorted(unknown))}"
        return pin, ""

    def facts_of(self, pin: Pin) -> Facts:
        """Return the facts of a line that was met."""
        return self.facts[f"{pin.name}=={pin.version}"]


def problems(lock: str, roots: Iterable[str], facts: Mapping[str, Facts]) -> Iterator[str]:
    """Yield what is wrong with a lock file in any environment, and the lines that none of them needs."""
    locked, roots = pins(lock), tuple(roots)
    reached: set[Pin] = set()
    for environment in environments():
        walk = Walk(locked, facts, environment)
        yield from walk.problems(roots)
        reached |= walk.reached
    for pin in locked:
        if pin not in reached:
            yield f"nothing needs {pin.name}=={pin.version}"
