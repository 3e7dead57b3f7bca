"""An action that is added to the one table, and nowhere else, is on every surface (domain/items/actions.py)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ACTIONS = "lotus_web/domain/items/actions.py"
MEMBER = '    OVERRIDE = "override"\n'
NEW_MEMBER = '    PIN_UP = "pin_up"\n'
END_OF_TABLE = "}\n\nDECIDING"
ENTRY = """    Action.PIN_UP: ActionSpec(
        label="Pin up",
        past="Pinned up",
        did="pinned it up",
        done="Pinned up for all to see.",
        permission=Permission.WORKFLOW_ASSIGN,
        form=Form(Group.MORE, "eye", "warn", "secondary", key="v", order=4),
        steps=_staying(OPEN),
        text=Text.REASON,
        reasons=(ReasonCode("WORTH_A_LOOK", "Worth a look"),),
    ),
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The program with one more action in its table."""
    shutil.copytree(ROOT / "lotus_web", tmp_path / "lotus_web", ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name in ("templates", "static", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "lotus_web/demo/data").symlink_to(ROOT / "lotus_web/demo/data")
    table = tmp_path / ACTIONS
    text = table.read_text(encoding="utf-8")
    assert text.count(MEMBER) == text.count(END_OF_TABLE) == 1
    added = text.replace(MEMBER, MEMBER + NEW_MEMBER).replace(END_OF_TABLE, ENTRY + END_OF_TABLE)
    table.write_text(added, encoding="utf-8")
    return tmp_path


@pytest.mark.stores("sqlite")
def test_an_action_of_the_table_is_on_every_surface(copy: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.items.with_new_action"],
        cwd=copy,
        env=environ | {"DPM_WORKFLOW_ENABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
