"""The measured coverage adds up the workers' and holds the run to its floor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tools.coverage import FOLDER, floor

FREE_TEXT = "tests/unit/domain/test_free_text.py"


def test_a_run_below_the_floor_fails_and_says_what_was_not_passed(root: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "1",
        "-p",
        "tests.tools.coverage",
        "-p",
        "no:cacheprovider",
        FREE_TEXT,
    ]
    # A run of its own, not a worker of this one.
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", FOLDER))}
    done = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert " passed in " in done.stdout
    assert f"is BELOW the floor of {floor()} %." in done.stdout
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("lotus_web/")}
    # A module whose tests ran, and one that nobody imported.
    assert "lotus_web/domain/free_text.py" not in lines or int(lines["lotus_web/domain/free_text.py"][1]) < 5
    assert any(of == missed for of, missed, *_ in lines.values())
    assert not [name for name in lines if "migrations" in name]
