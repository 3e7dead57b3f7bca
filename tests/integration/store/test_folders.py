"""Each process of tests has folders of its own: they go when it is gone, and nobody else's do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers.live_server import ROOT
from tests.stores.postgres import own_folder, remove_folder

OTHER = "import sys; from tests.stores.postgres import *; print(own_folder(Path(sys.argv[1])), flush=True); sys.stdin.read()"


def test_a_folder_goes_when_its_process_is_gone_and_not_before(tmp_path: Path) -> None:
    foreign = tmp_path / "lotus-test-of-somebody-else"
    foreign.mkdir()
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        ours = own_folder(tmp_path)
        assert {theirs, ours, foreign} == set(tmp_path.iterdir())
        other.kill()
    second = own_folder(tmp_path)
    assert {ours, second, foreign} == set(tmp_path.iterdir())
    remove_folder(ours)
    remove_folder(second)
    assert [foreign] == list(tmp_path.iterdir())
