"""``gunicorn --config gunicorn.conf.py``: a setting that cannot be used stops the start with one line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers.live_server import GUNICORN, clean_environment
from tests.servers.patience import PATIENCE


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOTUS_WEB_THREADS", "1_0"), ("LOTUS_BODY_SECONDS", "nan"), ("WEB_CONCURRENCY", "٣"), ("PORT", "80000")],
)
def test_a_setting_of_the_web_server_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = subprocess.run(
        GUNICORN,
        cwd=tmp_path,
        env=clean_environment({name: value}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {name}={value!r} is not a value of this setting; allowed: a ")
    assert done.stderr.count("\n") == 1
