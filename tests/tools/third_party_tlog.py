"""A transparency log that somebody else wrote (aics-tlog), from its wheel as it was published: what it accepts, ours must be.

Its metadata ask for a newer Python than ours, so it is no requirement; its code is pure and runs on this one.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

WHEEL = Path(__file__).resolve().parents[1] / "vendor" / "aics_tlog-0.2.1-py3-none-any.whl"
if str(WHEEL) not in sys.path:
    sys.path.append(str(WHEEL))

aics_tlog = import_module("aics_tlog")
tiles = import_module("aics_tlog.tiles")
