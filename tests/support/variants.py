"""A copy of the program with something added to its tables, run in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
Edit = tuple[str, str]


def run_varied(
    directory: Path,
    edits: Mapping[str, Iterable[Edit]],
    module: str,
    environ: Mapping[str, str],
    *,
    templates: Mapping[str, str] | None = None,
) -> None:
    """Run a module of the tests on a copy with more templates, in which each text of ``edits`` is followed by its addition.

    It must end with 0.
    """
    shutil.copytree(ROOT / "lotus_web", directory / "lotus_web", ignore=shutil.ignore_patterns("data"))
    (directory / "lotus_web/demo/data").symlink_to(ROOT / "lotus_web/demo/data")
    shutil.copytree(ROOT / "templates", directory / "templates")
    for name, text in (templates or {}).items():
        (directory / "templates" / name).write_text(text, encoding="utf-8")
    for name in ("static", "tests"):
        (directory / name).symlink_to(ROOT / name)
    for path, additions in edits.items():
        file = directory / path
        text = file.read_text(encoding="utf-8")
        for found, added in additions:
            assert text.count(found) == 1, (path, found)
            text = text.replace(found, found + added)
        file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=directory,
        env={**environ, "DPM_WORKFLOW_ENABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
