"""What was sent or stored reaches a terminal as text: no control sequence is obeyed, no line is forged, no line turned around."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from flask import Flask

from lotus_web.telemetry.logs import RedactExceptionFilter

pytestmark = pytest.mark.stores("sqlite")
HOSTILE = "a\x1b[2J\x1b]0;owned\x07\x9b31m\u202eb\r\nWARNING forged\x00"
SHOWN = r"a\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eb\r\nWARNING forged\u0000"


def assert_harmless(said: str) -> None:
    assert SHOWN.removesuffix(r"\u0000") in said.replace("\\\\", "\\")
    assert all(char.isprintable() or char in "\n\t" for char in said)
    assert not any(line.startswith("WARNING") for line in said.splitlines())


def test_the_console_log_escapes_what_a_terminal_obeys(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(LOTUS_LOG_FORMAT="console")
    capsys.readouterr()
    structlog.get_logger("lotus_web").warning(HOSTILE)
    assert_harmless(capsys.readouterr().err)
    structlog.get_logger("lotus_web").warning("refused", path=HOSTILE, where=[HOSTILE])
    logged = capsys.readouterr().err
    assert_harmless(logged)
    assert "owned" in logged
    logging.getLogger("some.library").warning("cannot parse %s", HOSTILE)
    assert_harmless(capsys.readouterr().err)


def test_the_web_servers_own_log_does_too() -> None:
    record = logging.LogRecord("gunicorn.error", logging.WARNING, __file__, 1, "Invalid request: %s", (HOSTILE,), None)
    assert RedactExceptionFilter().filter(record)
    assert_harmless(record.getMessage())


def test_commands_print_stored_text_as_text(app: Flask, tmp_path: Path) -> None:
    name = HOSTILE.removesuffix("\x00")
    runner = app.test_cli_runner()
    for arguments in (
        ["policy-packs", "remove", name],
        ["tokens", "disable", name],
        ["users", "disable", name],
        ["audit", "verify", "--tenant", name],
    ):
        told = runner.invoke(args=arguments)
        assert told.exit_code != 0, arguments
        assert r"\u001b[2J" in told.output, (arguments, told.output)
        assert "\x1b" not in told.output, arguments
    document = tmp_path / name
    document.write_text("no JSON")
    told = runner.invoke(args=["audit", "verify", "--file", str(document)])
    assert_harmless(told.output)
