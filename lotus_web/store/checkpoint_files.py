"""Checkpoints kept as files outside the database, one a file, which is never written again (LOTUS_CHECKPOINT_DIR).

On a volume that the database's administrator cannot write to they prove what a restored backup or a cut log has lost.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

SIZE_DIGITS = 20


def keep(folder: Path, origin: str, size: int, note: str) -> bool:
    """Write a checkpoint unless it is there; False if it was. One of the same size that differs is kept next to it, as evidence."""
    data = note.encode()
    path = _folder(folder, origin) / f"{size:0{SIZE_DIGITS}}-{hashlib.sha256(data).hexdigest()[:16]}.note"
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a file that is half written has another name.
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(0o444)
    part.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return True


def newest(folder: Path, origin: str, size: int | None = None) -> list[bytes]:
    """Return the kept checkpoints of the largest size, or of this one; several only where a log said different things."""
    name = "*" if size is None else f"{size:0{SIZE_DIGITS}}-*"
    found = sorted(_folder(folder, origin).glob(f"{name}.note"))
    if not found:
        return []
    largest = found[-1].name[:SIZE_DIGITS]
    return [path.read_bytes() for path in found if path.name.startswith(largest)]


def _folder(folder: Path, origin: str) -> Path:
    return folder / quote(origin, safe="")
