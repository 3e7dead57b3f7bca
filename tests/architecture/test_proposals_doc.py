"""docs/proposals.md says what the state machine does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from lotus_web.domain.proposals.states import OPEN, TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("proposals_doc", ROOT / "scripts" / "proposals_doc.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_proposals_is_what_the_state_machine_says() -> None:
    assert (ROOT / "docs" / "proposals.md").read_text(encoding="utf-8") == script().document()


def test_the_diagram_has_every_step_once() -> None:
    steps = [line.split(":")[0].split(" --> ") for line in script().diagram() if "[*]" not in line]
    versions = [(state.value, "DRAFT") for state in OPEN]
    assert sorted((before.strip(), after) for before, after in steps) == sorted(
        [*((state.value, after.value) for (state, _), after in TRANSITIONS.items()), *versions]
    )
