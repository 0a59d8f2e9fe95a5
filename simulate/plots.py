"""Figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DEFAULT = ("ladder",)


def save(folder: Path, kinds: Sequence[str], manifest: Mapping[str, Any], tree: Any) -> None:
    """Draw."""
