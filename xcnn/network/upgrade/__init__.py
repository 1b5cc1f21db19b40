"""The pass that makes configs of older Keras loadable: pure functions on the config, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Upgraded:
    """A config that today's Keras understands, and what was changed to get there."""

    config: dict[str, Any]
    notes: tuple[str, ...] = ()
    changed: bool = False


def upgraded(config: dict[str, Any]) -> Upgraded:
    """Return the config as it is."""
    return Upgraded(config)
