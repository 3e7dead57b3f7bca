"""Write docs/settings.md from the declared settings: ``python scripts/settings_doc.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lotus_web.config.settings import Settings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD = """# Settings

Read from the environment, or from `.env` in the folder where a process starts. One value applies everywhere. An empty value means
the default. A value that cannot be used stops the start with its name, the value and what is allowed. Written by `scripts/settings_doc.py`.

| setting | default | allowed | what it does |
|---|---|---|---|
"""


def _shown(default: object) -> str:
    if isinstance(default, Mapping):
        return "built in" if default else "{}"
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def document() -> str:
    """Return the page."""
    rows = [
        f"| `{setting.name}` | {f'`{_shown(setting.default)}`' if setting.default not in ('', (), None) else ''} | {setting.allowed} | {setting.note} |"
        for setting in Settings.all()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document())
