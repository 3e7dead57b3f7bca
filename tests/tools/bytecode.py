"""Compiled modules are written to ``__pycache__``, also where ``PYTHONDONTWRITEBYTECODE`` says otherwise (as in many containers).

A run starts about a hundred processes (workers, servers, commands), and each would compile Flask, SQLAlchemy and the tests anew:
nine seconds of processor time a worker that runs one test, sixteen one that collects all.
"""

from __future__ import annotations

import os
import sys


def write_bytecode() -> None:
    """Let this process and those that it starts write what they compile."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
