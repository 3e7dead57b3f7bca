"""Files copied from elsewhere stay exactly as their authors published them, and travel with their licence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "static" / "vendor", ROOT / "tests" / "vendor")
ENTRIES = [
    pytest.param(folder, entry, id=entry["name"])
    for folder in FOLDERS
    for entry in json.loads((folder / "VERSIONS.json").read_text(encoding="utf-8"))
]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("folder", "entry"), ENTRIES)
def test_a_vendored_file_is_unmodified(folder: Path, entry: dict[str, str]) -> None:
    assert _sha256(folder / entry["file"]) == entry["sha256"]


@pytest.mark.parametrize(("folder", "entry"), ENTRIES)
def test_a_vendored_file_travels_with_its_licence(folder: Path, entry: dict[str, str]) -> None:
    assert _sha256(folder / entry["licence_file"]) == entry["licence_sha256"]


@pytest.mark.parametrize(("folder", "entry"), ENTRIES)
def test_a_vendored_file_is_pinned_to_one_version(folder: Path, entry: dict[str, str]) -> None:
    assert entry["version"][0].isdigit()
    assert entry["licence"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_no_vendored_file_is_left_out_of_the_list(folder: Path) -> None:
    entries = json.loads((folder / "VERSIONS.json").read_text(encoding="utf-8"))
    listed = {entry[key] for entry in entries for key in ("file", "licence_file")}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    unlisted = present - listed - {"VERSIONS.json", "axe.LICENSE-3RD-PARTY.txt"}
    assert unlisted == set()
