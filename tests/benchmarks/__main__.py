"""``make bench``: what requests and jobs cost on stores of growing size, and how much they grow with it."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from lotus_web.store.session import db
from tests.benchmarks.engine import advisory_figure, engine_figure
from tests.benchmarks.jobs import SWEEPS, measured_sweep, purge_a_fifth
from tests.benchmarks.loaded import open_loaded, store_mib
from tests.benchmarks.measure import Call, Figure, measure
from tests.benchmarks.memory import web_process_mib
from tests.benchmarks.proposals import SIZES as PROPOSAL_SIZES
from tests.benchmarks.proposals import measured_proposals, open_proposals
from tests.benchmarks.requests import measured_requests
from tests.benchmarks.transparency import log_figures
from tests.stores.postgres import PostgresServer, create_database, drop_database

SIZES = (1_000, 10_000, 100_000, 1_000_000)
WIDTH = 26
Figures = dict[str, Figure]
Measured = Callable[[str, str, int, int], Figures]


@contextmanager
def _stores(kind: str) -> Iterator[str]:
    """Yield a URL pattern whose ``{size}`` makes a store of each size; on disk, for a million runs fill no memory."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        if kind == "sqlite":
            yield f"sqlite:///{Path(name)}/{{size}}.db"
            return
        Path(name).chmod(0o755)  # the server runs under an account of its own
        server = PostgresServer(Path(name))
        server.start()
        try:
            yield server.url("bench_{size}")
        finally:
            server.remove()


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Send the log where it costs what it costs and nobody reads it; what goes wrong is raised past this."""
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        yield


@contextmanager
def _store(pattern: str, kind: str, size: int) -> Iterator[str]:
    """Yield the URL of an empty store and remove it afterwards."""
    url = pattern.format(size=size)
    if kind == "sqlite":
        yield url
        for left in Path(url.removeprefix("sqlite:///")).parent.iterdir():
            left.unlink()
        return
    admin, name = pattern.replace("bench_{size}", "postgres"), f"bench_{size}"
    create_database(admin, name)
    yield url
    drop_database(admin, name)


def _measured(url: str, kind: str, size: int, times: int) -> Figures:
    """Fill a store and print what everything costs on it; retention comes last, for it takes a fifth of the store away."""
    started = time.perf_counter()
    loaded = open_loaded(url, size)
    with loaded.app.app_context():
        mib = store_mib(url)
    print(f"\n{kind}, {size:,} runs (filled in {time.perf_counter() - started:.0f} s, {mib:,} MiB)", flush=True)
    _say(f"{'request':<{WIDTH}}{'p50 ms':>9}{'p95 ms':>9}{'queries':>9}")
    figures = {name: _figure(name, call, times) for name, call in measured_requests(loaded).items()}
    with loaded.app.app_context():
        figures["sweep"] = _figure("sweep, ten items due", measured_sweep(loaded), SWEEPS, warm_up=1)
    _say(f"a web process that answered all of them holds {web_process_mib(loaded, url)} MiB (aim at most 200)")
    with loaded.app.app_context():
        for line in log_figures(loaded.app):
            _say(line)
        _purge(url)
        db.engine.dispose()
    return figures


def _measured_proposals(url: str, kind: str, size: int, times: int) -> Figures:
    """Fill a store with proposals and print what requests on them cost."""
    started = time.perf_counter()
    store = open_proposals(url, size)
    with store.app.app_context():
        mib = store_mib(url)
    print(f"\n{kind}, {size:,} proposals (filled in {time.perf_counter() - started:.0f} s, {mib:,} MiB)", flush=True)
    _say(f"{'request':<{WIDTH}}{'p50 ms':>9}{'p95 ms':>9}{'queries':>9}")
    figures = {name: _figure(name, call, times) for name, call in measured_proposals(store).items()}
    with store.app.app_context():
        db.engine.dispose()
    return figures


def _figure(name: str, call: Call, times: int, warm_up: int = 5) -> Figure:
    figure = measure(call, times=times, warm_up=warm_up)
    _say(f"{name:<{WIDTH}}{figure.p50:>9.2f}{figure.p95:>9.2f}{figure.queries:>9.1f}")
    return figure


def _growth(kind: str, by_size: dict[int, Figures], smaller: int, what: str) -> None:
    largest = max(by_size)
    print(f"\n{kind}: growth of the median from {smaller:,} to {largest:,} {what} (aim at most 1.5)")
    for name, figure in by_size[largest].items():
        ratio = figure.p50 / by_size[smaller][name].p50
        _say(f"{name:<{WIDTH}}{ratio:>9.2f}{'' if ratio <= 1.5 else '   over the aim'}")


def _growth_of_runs(kind: str, by_size: dict[int, Figures]) -> None:
    *_, smaller, largest = sorted(by_size)
    _growth(kind, by_size, smaller, "runs")
    health, run = by_size[largest]["GET /health/live"].p50, by_size[largest]["GET run"].p50
    _say(f"GET run costs {run / health:.2f} times the bare health route (aim at most 2.5)")


def _purge(url: str) -> None:
    purge = purge_a_fifth(url)
    _say(
        f"retention removed {purge.runs:,} runs in {purge.seconds:.0f} s;"
        f" its longest batch took {purge.longest_ms} ms (aim at most 200)"
    )


def main() -> None:
    """Measure every store at every size and print the report."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="runs in the store, 1000 at least")
    parser.add_argument("--proposal-sizes", default=",".join(map(str, PROPOSAL_SIZES)), help="proposals in the store")
    parser.add_argument("--of", default="runs,proposals", help="what to measure: runs, proposals or both")
    parser.add_argument("--stores", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=200, help="measured calls of each request")
    chosen = parser.parse_args()
    print(f"engine, 500 positions: {engine_figure():.1f} ms (aim at most 50)")
    print(f"advisory engine, 500 positions and 100 trades: {advisory_figure():.1f} ms (aim at most 60)")
    for kind in chosen.stores.split(","):
        if "runs" in chosen.of:
            by_size = _each_size(kind, chosen.sizes, chosen.times, _measured)
            if len(by_size) > 1:
                _growth_of_runs(kind, by_size)
        if "proposals" in chosen.of:
            by_size = _each_size(kind, chosen.proposal_sizes, chosen.times, _measured_proposals)
            if len(by_size) > 1:
                _growth(kind, by_size, min(by_size), "proposals")


def _each_size(kind: str, sizes: str, times: int, measured: Measured) -> dict[int, Figures]:
    by_size = {}
    with _stores(kind) as pattern:
        for size in map(int, sizes.split(",")):
            with _store(pattern, kind, size) as url, _quiet():
                by_size[size] = measured(url, kind, size, times)
    return by_size


if __name__ == "__main__":
    main()
