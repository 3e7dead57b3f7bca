"""Folders and files that their owner alone may read: stores, keys and the secrets of the demo tenant."""

from __future__ import annotations

import os
from pathlib import Path

OWNERS_FOLDER = 0o700
OWNERS_FILE = 0o600


def make_folder(path: Path) -> None:
    """Make a folder that its owner alone may enter; one that is there stays as it is. Raises OSError."""
    path.mkdir(OWNERS_FOLDER, parents=True, exist_ok=True)


def make_file(path: Path, *, replace: bool = False) -> int:
    """Open a new file for writing and return its handle; raises FileExistsError for one that is there, unless it is replaced."""
    make_folder(path.parent)
    if replace:
        path.unlink(missing_ok=True)  # a file that is written over would keep the mode that it has
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNERS_FILE)


def close_to_others(folder: Path) -> None:
    """Take the rights of everybody but the owner from a folder and the files in it; raises OSError."""
    folder.chmod(OWNERS_FOLDER)
    for file in folder.iterdir():
        if file.is_file() and not file.is_symlink():
            file.chmod(OWNERS_FILE)
