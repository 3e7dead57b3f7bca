"""`make check` finds faults in JavaScript and CSS: one of each kind is planted in a copy of the linter's folder and must be found."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / ".venv" / "bin" / "node"
BIOME = ROOT / ".venv" / "lint" / "node_modules" / ".bin" / "biome"

pytestmark = pytest.mark.skipif(
    not BIOME.exists() and os.environ.get("CI", "").lower() != "true", reason="`make check` installs the linter"
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Lint a folder as `make check` does."""
    command = [NODE, BIOME, "lint", "--error-on-warnings", "--colors=off"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_make_check_runs_the_linter_that_is_tested_here() -> None:
    assert (
        "$(BIN)/node .venv/lint/node_modules/.bin/biome lint --error-on-warnings\n" in (ROOT / "Makefile").read_text()
    )


@pytest.mark.parametrize(
    ("file", "fault", "rule"),
    [
        ("js/planted.js", "announce();\n", "noUndeclaredVariables"),
        ("js/planted.js", "(() => { const left = 1; })();\n", "noUnusedVariables"),
        ("js/planted.js", "((left) => 1)();\n", "noUnusedFunctionParameters"),
        ("js/planted.js", "(() => { const a = 1; a = 2; return a; })();\n", "noConstAssign"),
        ("js/planted.js", "(() => { return 1; alert(2); })();\n", "noUnreachable"),
        ("js/planted.js", "const = 1;\n", "parse"),
        ("css/planted.css", ".a { colour: red; }\n", "noUnknownProperty"),
        ("css/planted.css", ".a { color: red; color: blue; }\n", "noDuplicateProperties"),
        ("css/planted.css", ".a { width: 1pixel; }\n", "noUnknownUnit"),
        ("css/planted.css", "a:hovered { color: red; }\n", "noUnknownPseudoClass"),
        ("css/planted.css", "a { }\n", "noEmptyBlock"),
        ("css/planted.css", "a { color red; }\n", "parse"),
    ],
    ids=lambda value: str(value) if str(value).isidentifier() else "",
)
def test_a_planted_fault_is_found(tmp_path: Path, file: str, fault: str, rule: str) -> None:
    shutil.copy(ROOT / "biome.json", tmp_path)
    planted = tmp_path / "static" / file
    planted.parent.mkdir(parents=True)
    planted.write_text(fault)
    done = lint(tmp_path)
    assert done.returncode != 0
    assert rule in done.stdout + done.stderr
    planted.write_text("")
    assert lint(tmp_path).returncode == 0
