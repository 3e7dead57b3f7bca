"""Coverage of lotus_web, lines and branches: ``pytest -p tests.tools.coverage``, as `make test` runs the whole suite.

On Python 3.11 a tracer makes tests 1.8 times as long, because it slows down the code of libraries too. Slipcover puts probes into
our code only and removes those that have been passed. Each worker writes what its tests passed into one folder; the run adds it up,
prints it and fails below ``fail-under`` (percent, pyproject.toml). What other processes pass, which tests start, is not counted.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage, print_coverage

ROOT = Path(__file__).resolve().parents[2]
SOURCE = str(ROOT / "lotus_web")
OMITTED = str(ROOT / "lotus_web" / "migrations" / "*")
NOT_RUN = ["if TYPE_CHECKING:", "@overload", r"\.\.\.$"]
# The environment variable that tells workers of the run's folder.
FOLDER = "TEST_COVERAGE_FOLDER"


class Measurement:
    """What the tests of this process pass in lotus_web, which must not have been imported yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passed = Slipcover(branch=True, source=[SOURCE], omit=[OMITTED], exclude_also=NOT_RUN)
        ImportManager(self.passed, FileMatcher([SOURCE], [OMITTED])).__enter__()

    def write(self) -> None:
        """Write it into the folder, under the name of the worker."""
        name = os.environ.get("PYTEST_XDIST_WORKER", "only")
        (self.folder / f"{name}.json").write_text(json.dumps(self.passed.get_coverage()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.write()


class Report:
    """The sum over all workers, which fails the run when it is below the floor."""

    def __init__(self, folder: Path, floor: float) -> None:
        self.folder = folder
        self.floor = floor
        self.total: dict[str, Any] = {}

    @property
    def percent(self) -> float:
        """Lines and branches that were passed, of 100."""
        percent: float = self.total["summary"]["percent_covered"]
        return percent

    def add_up(self) -> None:
        """Read what the processes have written."""
        for path in sorted(self.folder.glob("*.json")):
            one = json.loads(path.read_text())
            self.total = merge_coverage(self.total, one) if self.total else one

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        yield
        self.add_up()
        shutil.rmtree(self.folder)
        if session.exitstatus == pytest.ExitCode.OK and self.percent < self.floor:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        print_coverage(self.total, outfile=terminalreporter, skip_covered=True, missing_width=60)
        verdict = "is at least" if self.percent >= self.floor else "is BELOW"
        terminalreporter.write_line(
            f"\nCoverage with branches: {self.percent:.2f} % {verdict} the floor of {self.floor} %."
        )


def floor() -> float:
    """Return the percentage below which a run fails."""
    with (ROOT / "pyproject.toml").open("rb") as project:
        return float(tomllib.load(project)["tool"]["slipcover"]["fail-under"])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the first conftest imports lotus_web."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        early_config.pluginmanager.register(Measurement(Path(os.environ[FOLDER])))
        return
    folder = Path(tempfile.mkdtemp(prefix="lotus-coverage-"))
    os.environ[FOLDER] = str(folder)
    early_config.pluginmanager.register(Report(folder, floor()))
    if not early_config.known_args_namespace.numprocesses:
        early_config.pluginmanager.register(Measurement(folder))
