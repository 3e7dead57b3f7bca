"""The environment is read by the settings module alone, but for the few places that have to set or read it before."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *(ROOT / "lotus_web").rglob("*.py"),
    *(ROOT / "scripts").glob("*.py"),
    ROOT / "app.py",
    ROOT / "gunicorn.conf.py",
]
METRICS_FOLDER = "the metrics library reads PROMETHEUS_MULTIPROC_DIR when it is imported"
READERS = {
    "lotus_web/config/settings.py": "the settings",
    "lotus_web/cli/serve.py": "fills in the defaults of `make run` before the settings are read",
    "lotus_web/cli/gunicorn_hooks.py": METRICS_FOLDER,
    "lotus_web/telemetry/metrics.py": METRICS_FOLDER,
    "gunicorn.conf.py": METRICS_FOLDER,
    "scripts/serve.py": METRICS_FOLDER,
}
NAMES = {"environ", "environb", "getenv", "getenvb"}


def reads_environment(source: str) -> bool:
    """Return whether a module uses the process's environment, however it imports it."""
    return any(
        (
            isinstance(node, ast.Attribute)
            and node.attr in NAMES
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
        )
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and NAMES & {alias.name for alias in node.names})
        or (isinstance(node, ast.Import) and any(alias.name == "os" and alias.asname for alias in node.names))
        for node in ast.walk(ast.parse(source))
    )


def test_nothing_but_the_settings_reads_the_environment() -> None:
    found = {str(path.relative_to(ROOT)) for path in SOURCES if reads_environment(path.read_text(encoding="utf-8"))}
    assert found == set(READERS)


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['X']", "import os\nos.getenv('X')", "from os import environ", "import os as o\no.environ"],
)
def test_a_read_is_found_however_it_is_written(source: str) -> None:
    assert reads_environment(source)


def test_the_environ_of_a_request_is_another() -> None:
    assert not reads_environment("request.environ['wsgi.input']\nsettings.environ")
