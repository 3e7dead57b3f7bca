"""What a witness remembers, in files: the checkpoints that it signed, for ever, and the requests that prove a fork."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from lotus_web.store import checkpoint_files

SIGNED, EVIDENCE, LOCK = "signed", "evidence", "lock"


class WitnessFiles:
    """The folder of a witness; only one process and one thread at a time holds ``exclusively``."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the folder; the kernel lets it go when the process ends."""
        with (self.folder / LOCK).open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def signed(self, origin: str, size: int | None = None) -> list[bytes]:
        """Return the checkpoints that were signed of the largest size, or of this size: one, or none."""
        return checkpoint_files.newest(self.folder / SIGNED, origin, size)

    def keep(self, origin: str, size: int, note: str) -> None:
        """Remember a checkpoint; it is on the disk when this returns."""
        checkpoint_files.keep(self.folder / SIGNED, origin, size, note)

    def keep_evidence(self, origin: str, request: bytes, why: str) -> Path:
        """Keep a request that contradicts what was signed, with what it contradicts; return its file."""
        folder = self.folder / EVIDENCE / quote(origin, safe="")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(request).hexdigest()[:16]}-{why}.txt"
        if not path.exists():
            with path.open("wb") as file:
                file.write(request)
                for known in self.signed(origin):
                    file.write(b"\nsigned before:\n" + known)
                file.flush()
                os.fsync(file.fileno())
        return path
