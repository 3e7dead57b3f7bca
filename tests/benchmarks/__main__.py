"""``make bench``: what requests cost on stores of growing size, and by how much the largest costs more than the smallest."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.desk import open_desk, store_bytes
from tests.benchmarks.engine import engine_figure
from tests.benchmarks.measure import Figure, measure
from tests.benchmarks.requests import measured_requests
from tests.postgres import PostgresServer, create_database

SIZES = (1_000, 10_000, 100_000)
Figures = dict[str, Figure]


@contextmanager
def _stores(kind: str) -> Iterator[str]:
    """Yield a URL pattern whose ``{size}`` makes a store of each size."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
            yield f"sqlite:///{Path(folder)}/{{size}}.db"
        return
    server = PostgresServer()
    server.start()
    try:
        yield server.url("bench_{size}")
    finally:
        server.remove()


def _figures(pattern: str, kind: str, size: int, times: int) -> Figures:
    if kind == "postgresql":
        create_database(pattern.replace("bench_{size}", "postgres"), f"bench_{size}")
    url = pattern.format(size=size)
    started = time.perf_counter()
    desk = open_desk(url, size)
    megabytes = store_bytes(url) // 2**20
    print(f"\n{kind}, {size:,} runs (loaded in {time.perf_counter() - started:.0f} s, {megabytes} MiB)", flush=True)
    print(f"  {'request':<26}{'p50 ms':>9}{'p95 ms':>9}{'queries':>9}", flush=True)
    figures = {}
    for name, call in measured_requests(desk, times).items():
        figures[name] = measure(call, times=times)
        print(
            f"  {name:<26}{figures[name].p50:>9.2f}{figures[name].p95:>9.2f}{figures[name].queries:>9.1f}", flush=True
        )
    return figures


def _growth(kind: str, by_size: dict[int, Figures]) -> None:
    smallest, largest = min(by_size), max(by_size)
    print(f"\n{kind}: growth of the median from {smallest:,} to {largest:,} runs (aim at most 1.5)")
    for name, figure in by_size[largest].items():
        ratio = figure.p50 / by_size[smallest][name].p50
        print(f"  {name:<26}{ratio:>9.2f}{'' if ratio <= 1.5 else '   over the aim'}")
    health, run = by_size[largest]["GET /health/live"].p50, by_size[largest]["GET run"].p50
    print(f"  GET run costs {run / health:.2f} times the bare health route (aim at most 2.5)")


def main() -> None:
    """Measure every store at every size and print the report."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--stores", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=200, help="measured calls of each request")
    chosen = parser.parse_args()
    print(f"engine, 500 positions: {engine_figure():.1f} ms (aim at most 50)")
    for kind in chosen.stores.split(","):
        with _stores(kind) as pattern:
            sizes = [int(size) for size in chosen.sizes.split(",")]
            by_size = {size: _figures(pattern, kind, size, chosen.times) for size in sizes}
            _growth(kind, by_size)


if __name__ == "__main__":
    main()
