"""deploy/nginx.conf in a real nginx: it is valid, passes bursts on, refuses floods, and counts clients behind a balancer one by one."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import missing
from tests.servers.live_server import ROOT
from tests.servers.patience import PATIENCE

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
INSTALL_HINT = "no nginx found: run `apt-get install nginx-light`"
BURST = 40
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/lotus.conf;
}}
"""


class App(BaseHTTPRequestHandler):
    """Stands where the web replicas stand, and answers everything with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where an nginx listens that trusts this machine as a balancer."""
    if NGINX is None:
        missing(INSTALL_HINT)
    folder = tmp_path_factory.mktemp("nginx")
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as app, socket.socket() as free:
        threading.Thread(target=app.serve_forever, daemon=True).start()
        free.bind(("127.0.0.1", 0))
        found = free.getsockname()[1]
        written = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        for ours, here in (
            ("listen 8080;", f"listen 127.0.0.1:{found};"),
            ("http://web:8000", f"http://127.0.0.1:{app.server_address[1]}"),
            ("    default no;", "    default no;\n    127.0.0.1 yes;"),
        ):
            assert ours in written
            written = written.replace(ours, here)
        (folder / "lotus.conf").write_text(written, encoding="utf-8")
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
        command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert checked.returncode == 0, checked.stderr
        free.close()
        server = subprocess.Popen(command)
        try:
            wait_for(found)
            yield found
        finally:
            server.terminate()
            server.wait(PATIENCE)
            app.shutdown()


def wait_for(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.02)
    raise AssertionError("nginx does not listen")


def ask(port: int, path: str, client: str, times: int) -> list[http.client.HTTPResponse]:
    """Ask many times on one connection, as a client behind a balancer that sends what it likes before the balancer's word."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    answers = []
    for number in range(times):
        connection.request("GET", path, headers={"X-Forwarded-For": f"198.51.100.{number % 250}, {client}"})
        answer = connection.getresponse()
        answer.read()
        answers.append(answer)
    connection.close()
    return answers


def test_a_flood_is_refused_and_leaves_others_alone(port: int) -> None:
    answers = ask(port, "/login", "203.0.113.5", 3 * BURST)
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 429}
    assert BURST < statuses[200] < 2 * BURST
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Server"] == "nginx"
    assert {answer.status for answer in ask(port, "/login", "203.0.113.6", BURST)} == {200}
    assert {answer.status for answer in ask(port, "/", "203.0.113.5", 5 * BURST)} == {200}


def test_metrics_are_not_for_the_world(port: int) -> None:
    assert [answer.status for answer in ask(port, "/metrics", "203.0.113.7", 1)] == [404]
