"""Write requirements/metadata.json: what each locked package requires, for the test that every lock file is complete.

A package that is installed here is read from .venv. The others, for another platform or Python, are downloaded unless the file has
them already. ``make lock`` runs this after it has written the lock files.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
TARGET = REQUIREMENTS / "metadata.json"
PIN = re.compile(r"^(\S+)==([^\s;]+)", re.MULTILINE)
# A Python and a platform that have a wheel of everything that this machine may lack.
ELSEWHERE = ("--python-version", "3.13", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")


def canonical(name: str) -> str:
    """Return a package's name in the spelling of lock files."""
    return re.sub(r"[-_.]+", "-", name).lower()


def facts(headers: Message | metadata.PackageMetadata) -> dict[str, object]:
    """Return what a package's metadata says of its requirements."""
    return {
        "requires_python": headers["Requires-Python"] or "",
        "provides_extra": sorted(canonical(extra) for extra in headers.get_all("Provides-Extra") or ()),
        "requires_dist": list(headers.get_all("Requires-Dist") or ()),
    }


def installed() -> dict[str, dict[str, object]]:
    """Return the facts of the packages of this environment by ``name==version``."""
    return {f"{canonical(one.name)}=={one.version}": facts(one.metadata) for one in metadata.distributions()}


def downloaded(pin: str, lock: str) -> dict[str, object]:
    """Return the facts of a package that is not installed here; stops if its file is not one of those that are locked."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder]
        subprocess.run([*pip, *ELSEWHERE, pin], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        if f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in lock:
            sys.exit(f"error: {wheel.name} is not one of the files that requirements/dev.lock has for {pin}")
        with zipfile.ZipFile(wheel) as files:
            (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
            return facts(Parser().parsestr(files.read(name).decode()))


def collected() -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each locked ``name==version`` with its facts; dev.lock has all packages of the other lock files."""
    lock = (REQUIREMENTS / "dev.lock").read_text()
    known = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    here = installed()
    for pin in sorted(f"{canonical(name)}=={version}" for name, version in PIN.findall(lock)):
        yield pin, here.get(pin) or known.get(pin) or downloaded(pin, lock)


if __name__ == "__main__":
    found = dict(collected())
    TARGET.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"requirements/metadata.json: {len(found)} packages")
