"""How much memory a real web process takes that has answered every measured request on a loaded store."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from tests.benchmarks.loaded import LoadedStore, environment
from tests.benchmarks.requests import json_paths, page_paths
from tests.servers.live_server import LiveServer

TIMES = 50


def web_process_mib(loaded: LoadedStore, url: str) -> int:
    """Return the largest resident set of a worker in MiB, after ``TIMES`` calls of each JSON route and page."""
    headers = {"Authorization": loaded.headers["Authorization"]}
    cookies = {"reviewer": _cookie(loaded.reviewer), "manager": _cookie(loaded.manager)}
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
        server = LiveServer(environment(url), Path(folder))
        server.start()
        try:
            for number in range(TIMES):
                for path in json_paths(loaded).values():
                    _read(server.url + path(number), headers)
                for who, path in page_paths(loaded).values():
                    _read(server.url + path(number), {"Cookie": cookies[who]})
            return max(map(_resident_mib, server.process_ids()))
        finally:
            server.stop()


def _cookie(client) -> str:
    request = client.get("/inbox").request
    return request.headers["Cookie"]


def _read(url: str, headers: dict[str, str]) -> None:
    with urlopen(Request(url, headers=headers), timeout=30) as answer:
        assert "/login" not in answer.url, url
        answer.read()


def _resident_mib(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024
