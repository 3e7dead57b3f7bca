"""The command that runs a witness, for another department or another company: it needs no database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
from flask.cli import AppGroup

from lotus_web.cli.audit_keys import key_refusals
from lotus_web.domain.transparency.notes import NOTE_MAX_BYTES, InvalidNote, VerifierKey, check_name, parse_key
from lotus_web.services.transparency.witness import Witness, WitnessAnswer
from lotus_web.store.ed25519 import create_key, read_key
from lotus_web.store.witness_files import WitnessFiles

group = AppGroup(
    "witness", help="A witness, which signs what a log says of itself only if it continues what it said before."
)
# A checkpoint, its proof of at most 63 hashes, and room for both.
REQUEST_MAX_BYTES = NOTE_MAX_BYTES + 64 * 64
SECONDS = 10


class WitnessHandler(BaseHTTPRequestHandler):
    """POST /add-checkpoint, and nothing else."""

    witness: Witness
    timeout = SECONDS
    server_version, sys_version = "witness", ""

    def do_POST(self) -> None:
        """Answer a request within the limits of its size and time."""
        self.close_connection = True
        if self.path != "/add-checkpoint":
            return self._answer(WitnessAnswer(404, "There is nothing here.\n"))
        sent = self.headers.get("Content-Length", "")
        if not (sent.isascii() and sent.isdigit() and int(sent[:12]) <= REQUEST_MAX_BYTES and len(sent) <= 12):
            return self._answer(WitnessAnswer(413, f"A request has at most {REQUEST_MAX_BYTES:,} bytes.\n"))
        body = self.rfile.read(int(sent))
        return self._answer(self.witness.add_checkpoint(body, int(time.time())))

    def _answer(self, answer: WitnessAnswer) -> None:
        data = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what is refused is logged where it is refused."""


def parse_logs(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> list[VerifierKey]:
    """Return the keys of logs; raises BadParameter."""
    try:
        return [parse_key(text) for text in texts]
    except InvalidNote as problem:
        raise click.BadParameter(str(problem)) from problem


def parse_name(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Return the name of the witness; raises BadParameter."""
    try:
        return check_name(text)
    except InvalidNote as problem:
        raise click.BadParameter(str(problem)) from problem


@group.command("serve")
@click.option(
    "--name", required=True, callback=parse_name, help="The name it signs with, such as audit.example/witness."
)
@click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Its key; made if it is not there."
)
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder of what it has signed."
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    callback=parse_logs,
    help="The key of a log; may be given several times.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True)
def serve(name: str, key: Path, state: Path, logs: list[VerifierKey], host: str, port: int) -> None:
    """Run a witness until it is stopped. Its folder must never be lost or put back: a witness without memory signs a fork."""
    with key_refusals():
        own = read_key(key) if key.exists() else create_key(key)
    witness = Witness(name, own, logs, WitnessFiles(state))
    handler = type("Handler", (WitnessHandler,), {"witness": witness})
    with ThreadingHTTPServer((host, port), handler) as server:
        click.echo(f"{witness.verifier}")
        click.echo(f"The witness listens on http://{host}:{server.server_address[1]}", err=True)
        server.serve_forever()
